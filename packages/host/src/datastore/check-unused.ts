import { MethodFault, type MoRef } from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';
import type { Datastore } from './datastore.ts';

/** Throws ResourceInUse while a VM of this host uses the datastore (property `vm` of its object). */
export function checkUnused(graph: Pick<ObjectGraph, 'get'>, datastore: Datastore): void {
  const vms = graph.get(datastore.ref as MoRef).getPath('vm');
  if (!Array.isArray(vms) || vms.length === 0) return;
  throw new MethodFault('ResourceInUse', { type: 'Datastore', name: datastore.name });
}
