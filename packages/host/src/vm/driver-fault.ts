// What a client is told of a failure that is not a fault already. Pure.
import { StoreFull } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';

/** A fault stays what it is; anything else means that the VM cannot be run or changed as it is configured. */
export function configFault(error: unknown): MethodFault {
  return (
    knownFault(error) ?? new MethodFault('GenericVmConfigFault', { reason: text(error) }, undefined, { cause: error })
  );
}

/** A fault stays what it is; anything else is ours to look into. */
export function systemFault(error: unknown): MethodFault {
  return knownFault(error) ?? new MethodFault('SystemError', { reason: text(error) }, undefined, { cause: error });
}

function knownFault(error: unknown): MethodFault | undefined {
  if (error instanceof MethodFault) return error;
  if (!(error instanceof StoreFull)) return undefined;
  // The store lies beside the first datastore as a rule, and is full when that is.
  const message = 'There is no room left for the inventory of the host.';
  return new MethodFault('NoDiskSpace', { file: '', datastore: '' }, message, { cause: error });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
