// The hidden method Fetch, by which pyVmomi reads every managed property.
import { box, MethodFault } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import { planPath } from './path-plan.ts';
import { Missing, rankOf, viewerOf } from './viewer.ts';

/**
 * The value at a property path in its form under any; undefined when unset.
 * Faults: InvalidProperty; NotAuthenticated or NoPermission; whatever computing the property throws.
 */
export function fetchProperty(object: ManagedObject, path: string, call: Call): unknown {
  const plan = planPath(object.ref.type, path, rankOf(call));
  if (!plan) throw new MethodFault('InvalidProperty', { name: path });
  const value = viewerOf(call).read(object, plan);
  if (value instanceof Missing) throw value.fault;
  return box(plan.type, value);
}
