// For tests: all doors of a host.
import { DOORS as OF_EVERY_DAEMON } from '@vivarium/vmomi/testing/tenant';
import type { HostDoors } from '../world.ts';
import { consoleDoors } from './consoles.ts';
import { fileDoors } from './files.ts';

export const DOORS: HostDoors = { ...OF_EVERY_DAEMON, ...consoleDoors, ...fileDoors };
