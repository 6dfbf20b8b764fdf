// Notices when a container of the inventory moves: everything in it inherits other permissions then.
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import type { ChangeRouter, Watcher } from './change-router.ts';

const CONTAINERS: ReadonlySet<string> = new Set([
  'Folder',
  'StoragePod',
  'Datacenter',
  'ComputeResource',
  'ClusterComputeResource',
  'ResourcePool',
  'VirtualApp',
]);

/** Calls `moved` inside the change: only note it. */
export function watchContainerMoves(graph: ObjectGraph, router: ChangeRouter, moved: () => void): void {
  const interest = router.interest(['parent', 'parentVApp']);
  const watcher: Watcher = { changed: (properties) => (properties ? moved() : undefined) };
  const watch = (object: ManagedObject) => {
    if (CONTAINERS.has(object.ref.type)) router.watch(object.ref, interest, watcher);
  };
  for (const object of graph.all()) watch(object);
  graph.onAdd(watch);
  graph.onRemove((object) => router.unwatch(object.ref, interest, watcher));
}
