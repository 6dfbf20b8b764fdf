// For tests: all doors of vCenter.
import type { Doors } from '../door.ts';
import { automationDoors } from './automation.ts';
import { besideDoors } from './beside.ts';
import { fileDoors } from './files.ts';
import { historyDoors } from './history.ts';
import { liveUpdateDoors } from './live-updates.ts';
import { rightsDoors } from './rights.ts';
import { searchDoors } from './search.ts';
import { ticketDoors } from './tickets.ts';
import { traversalDoors } from './traversal.ts';
import { viewDoors } from './views.ts';

export const DOORS: Doors = {
  ...traversalDoors,
  ...liveUpdateDoors,
  ...viewDoors,
  ...searchDoors,
  ...historyDoors,
  ...rightsDoors,
  ...automationDoors,
  ...besideDoors,
  ...fileDoors,
  ...ticketDoors,
};
