// The public face of @vivarium/drs/resource-pool: what a single host needs of pools too.

export {
  findNewPoolFault,
  findPoolChangeFault,
  findPoolMoveFault,
  findReservationFault,
  findVmMoveFault,
} from './admission.ts';
export { type Allocation, allocationOf, type Resources, type ShareUnit, sharesOf } from './allocation.ts';
export {
  changedPoolAllocation,
  MAX_SHARES,
  newPoolAllocation,
  normalPoolAllocation,
  type PoolResource,
} from './pool-allocation.ts';
export { isSameLoad, loadOfVm, noLoad, type PoolLoad, plusLoad, poolFigures, sumLoads } from './pool-load.ts';
export { type PoolAllocations, type PoolSettings, PoolTree, type PoolUsage } from './pool-tree.ts';
export type { ReservationSettings } from './reservation-tree.ts';
export { poolRuntimeInfo } from './runtime-info.ts';
