// Faults that came over the wire, as the errors that they were on the other side.
import { MethodFault } from '@vivarium/vim';
import type { JsonResponse } from './transport.ts';

/** Throws the fault that the endpoint has answered, if it has. `what` names the request. */
export function checkFault(response: JsonResponse, what: string): void {
  if (response.status < 300) return;
  if (typeof response.body === 'object' && response.body !== null) throw faultOf(response.body);
  throw new Error(`${what}: HTTP ${response.status}`);
}

export function faultOf(fault: unknown, message?: string): MethodFault {
  return MethodFault.from(typeof fault === 'object' && fault !== null ? fault : {}, message);
}
