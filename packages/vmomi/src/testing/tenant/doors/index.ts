// For tests: the doors that every daemon has.
import type { Doors } from '../door.ts';
import { historyDoors } from './history.ts';
import { liveUpdateDoors } from './live-updates.ts';
import { rightsDoors } from './rights.ts';
import { searchDoors } from './search.ts';
import { serviceDoors } from './service.ts';
import { traversalDoors } from './traversal.ts';
import { viewDoors } from './views.ts';

export const DOORS: Doors = {
  ...traversalDoors,
  ...liveUpdateDoors,
  ...viewDoors,
  ...searchDoors,
  ...historyDoors,
  ...rightsDoors,
  ...serviceDoors,
};
