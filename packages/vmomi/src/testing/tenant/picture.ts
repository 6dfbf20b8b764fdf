// For tests: the inventory as text, to see whether anything has changed.
import { setImmediate as turn } from 'node:timers/promises';
import { type MoRef, moRefKey } from '@vivarium/vim';
import type { ManagedObject } from '../../graph/managed-object.ts';
import type { ObjectGraph } from '../../graph/object-graph.ts';
import type { World } from './world.ts';

const CORE = [
  'name',
  'parent',
  'resourcePool',
  'runtime.powerState',
  'runtime.host',
  'customValue',
  'permission',
  'config',
  'configuration',
  'host',
  'childType',
];

const pictures = new WeakMap<World, { readonly version: number; readonly picture: ReadonlyMap<string, string> }>();

/** What the entities are like, without what they only list. */
export function picture(world: World): ReadonlyMap<string, string> {
  const { graph } = world.service;
  const known = pictures.get(world);
  if (known?.version === graph.version) return known.picture;
  const found = new Map<string, string>();
  for (const ref of world.entities()) {
    const object = graph.find(ref);
    const values = CORE.map((path) =>
      path === 'host' && ref.type !== 'VmwareDistributedVirtualSwitch' ? '' : object?.getPath(path),
    );
    found.set(moRefKey(ref), withIds(JSON.stringify(values), datastoresOf(graph, object)));
  }
  pictures.set(world, { version: graph.version, picture: found });
  return found;
}

function datastoresOf(graph: ObjectGraph, object: ManagedObject | undefined): ManagedObject[] {
  const refs = (object?.getPath('datastore') ?? []) as readonly MoRef[];
  return refs.map((ref) => graph.find(ref)).filter((datastore) => datastore !== undefined);
}

/** Where a VM's files lie does not change with the name of the datastore. */
function withIds(text: string, datastores: readonly ManagedObject[]): string {
  const ids = new Map(datastores.map((datastore) => [datastore.getPath('name'), datastore.ref.value]));
  return text.replace(/"\[([^\]]+)\] /g, (whole, name: string) => (ids.has(name) ? `"[${ids.get(name)}] ` : whole));
}

const CALM_TURNS = 10;

/** What a call has set going, a host that comes back for one, comes to an end. */
export async function quiet({ service }: World): Promise<void> {
  for (let calm = 0, last = service.graph.version; calm < CALM_TURNS; calm++) {
    await turn();
    if (service.graph.version !== last) calm = 0;
    last = service.graph.version;
  }
}
