// Faults that came over the wire, as the errors that they were on the other side.
import { MethodFault } from '@vivarium/vim';
import type { JsonResponse } from './transport.ts';

/** Throws the fault that the endpoint has answered, if it has. `what` names the request. */
export function checkFault(response: JsonResponse, what: string): void {
  if (response.status < 300) return;
  if (typeof response.body === 'object' && response.body !== null) throw faultOf(response.body);
  throw new Error(`${what}: HTTP ${response.status}`);
}

/** `message`: what the endpoint said beside the fault; default: what it said in it. */
export function faultOf(fault: unknown, message?: string): MethodFault {
  const data = typeof fault === 'object' && fault !== null ? fault : {};
  return MethodFault.from(data, message ?? ownWords(data));
}

/** The first of the fault's own messages is the one that is meant for people (vi-json.yaml, MethodFault.faultMessage). */
function ownWords({ faultMessage }: { faultMessage?: unknown }): string | undefined {
  const first: unknown = Array.isArray(faultMessage) ? faultMessage[0] : undefined;
  const said = typeof first === 'object' && first !== null && 'message' in first ? first.message : undefined;
  return typeof said === 'string' && said !== '' ? said : undefined;
}
