// For tests: all doors of vCenter.
import { DOORS as OF_EVERY_DAEMON } from '@vivarium/vmomi/testing/tenant';
import type { CenterDoors } from '../world.ts';
import { automationDoors } from './automation.ts';
import { besideDoors } from './beside.ts';
import { fileDoors } from './files.ts';
import { ticketDoors } from './tickets.ts';

export const DOORS: CenterDoors = {
  ...OF_EVERY_DAEMON,
  ...automationDoors,
  ...besideDoors,
  ...fileDoors,
  ...ticketDoors,
};
