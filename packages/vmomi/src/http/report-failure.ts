// What clients see of a failure: faults as they are, the store's refusals as DatabaseError, everything else as SystemError without
// its inside.
import type { Logger } from '@vivarium/base';
import { MethodFault } from '@vivarium/vim';
import { storeFault } from '../store-fault.ts';

export function asFault(log: Logger, error: unknown, about: object): MethodFault {
  if (error instanceof MethodFault) return error;
  const stack = error instanceof Error ? error.stack : undefined;
  log.error({ ...about, error, stack }, 'a call failed unexpectedly');
  return storeFault(error) ?? (new MethodFault('SystemError', { reason: 'internal' }) as MethodFault);
}
