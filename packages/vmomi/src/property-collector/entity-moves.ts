// Notices when an entity of the inventory moves: it, and everything in it, inherits other permissions then.
import type { MoRef } from '@vivarium/vim';
import type { ObjectGraph } from '../graph/object-graph.ts';

const CONTAINERS: ReadonlySet<string> = new Set([
  'Folder',
  'StoragePod',
  'Datacenter',
  'ComputeResource',
  'ClusterComputeResource',
  'ResourcePool',
  'VirtualApp',
]);
const ABOVE: readonly string[] = ['parent', 'parentVApp'];

export interface Moves {
  /** An entity has moved with which nothing else comes under other permissions. */
  readonly one: (ref: MoRef) => void;
  readonly many: () => void;
}

/** Tells inside the change: only note it. `isPermissionOn`: whether anything is set on exactly this entity. */
export function watchEntityMoves(graph: ObjectGraph, isPermissionOn: (ref: MoRef) => boolean, moves: Moves): void {
  graph.onChange((change) => {
    if (change.kind !== 'modified') return;
    const { object, paths } = change;
    const { ref } = object;
    // A VM inherits from its pool too.
    if (!paths.some((path) => ABOVE.includes(path) || (path === 'resourcePool' && ref.type === 'VirtualMachine')))
      return;
    // With a permission of its own it is seen, and so is what is above it.
    if (CONTAINERS.has(ref.type) || isPermissionOn(ref)) moves.many();
    else moves.one(ref);
  });
}
