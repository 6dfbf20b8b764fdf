// Keeps StoragePod.summary true: the space of the datastores in a pod, added up when one of them changes, comes or goes.
import { type DatastoreSummary, type MoRef, make } from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';
import type { Inventory } from '../inventory/inventory.ts';

export function keepPodSummaries({
  graph,
  inventory,
}: {
  readonly graph: ObjectGraph;
  readonly inventory: Inventory;
}): {
  stop(): void;
} {
  const watched = new Map<string, () => void>();
  const sum = (pod: MoRef) => {
    if (pod.type !== 'StoragePod') return;
    const object = graph.find(pod as unknown as MoRef<'StoragePod'>);
    if (!object) return;
    const spaces = inventory.children(pod).map((ref) => graph.find(ref as MoRef)?.getPath('summary'));
    const total = (name: 'capacity' | 'freeSpace') =>
      spaces.reduce<number>((all, one) => all + ((one as DatastoreSummary | undefined)?.[name] ?? 0), 0);
    const summary = { name: object.get('name') ?? '', capacity: total('capacity'), freeSpace: total('freeSpace') };
    object.set('summary', make('StoragePodSummary', summary));
  };
  /** Only datastores that are in a pod are watched. */
  const follow = (datastore: MoRef<'Datastore'>, pod: MoRef | undefined) => {
    watched.get(datastore.value)?.();
    watched.delete(datastore.value);
    if (pod?.type !== 'StoragePod') return;
    const stop = graph.subscribe(datastore as MoRef, (change) => {
      if (change.kind === 'modified' && change.paths.some((path) => path.startsWith('summary'))) sum(pod);
    });
    watched.set(datastore.value, stop);
    sum(pod);
  };
  for (const [datastore, { parent }] of inventory.ofType('Datastore')) follow(datastore, parent);
  const stop = inventory.onChange(({ ref, before, after }) => {
    const { type } = ref as { type: string };
    if (type === 'StoragePod' && after) sum(ref as unknown as MoRef);
    if (type !== 'Datastore') return;
    follow(ref as unknown as MoRef<'Datastore'>, after?.parent);
    if (before) sum(before.parent);
  });
  return {
    stop() {
      stop();
      for (const unwatch of watched.values()) unwatch();
    },
  };
}
