// For tests: all operations that a kill may interrupt. One group is drawn, then one of it.
import { appOperations } from './app-operations.ts';
import { hostOperations } from './host-operations.ts';
import { inventoryOperations } from './inventory-operations.ts';
import { moveOperations } from './move-operations.ts';
import type { Kind } from './operation.ts';
import { rightsOperations } from './rights-operations.ts';
import { serviceOperations } from './service-operations.ts';
import { switchOperations } from './switch-operations.ts';

export const allOperations: readonly (readonly Kind[])[] = [
  inventoryOperations,
  inventoryOperations,
  appOperations,
  appOperations,
  moveOperations,
  moveOperations,
  rightsOperations,
  hostOperations,
  switchOperations,
  serviceOperations,
];
