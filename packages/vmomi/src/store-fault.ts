// What clients are told when the store refuses to write: DatabaseError, a RuntimeFault, which every method may answer. Pure.
import { StoreError, StoreFull, StoreUnavailable } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';

/** Undefined when the error is none of the store's. */
export function storeFault(error: unknown): MethodFault | undefined {
  if (!(error instanceof StoreError)) return undefined;
  return new MethodFault('DatabaseError', {}, textOf(error), { cause: error }) as MethodFault;
}

function textOf(error: StoreError): string {
  if (error instanceof StoreFull) return 'There is no room left for the state of this server: nothing was changed.';
  if (error instanceof StoreUnavailable && error.outcome === 'unknown')
    return 'The state of this server cannot be reached: whether the change was made shows when it can be.';
  if (error instanceof StoreUnavailable) return 'The state of this server cannot be reached: nothing was changed.';
  return 'The state of this server could not be changed.';
}
