// For tests: the inventory as text, to see whether anything has changed.
import { setImmediate as turn } from 'node:timers/promises';
import { moRefKey } from '@vivarium/vim';
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

/** Stands for all that the hosts were asked to do. */
export const CALLED = 'calls of hosts';
const pictures = new WeakMap<World, { readonly version: number; readonly picture: Map<string, string> }>();

/** What the entities are like, without what they only list, and what their hosts were asked to do. */
export function picture(world: World): Map<string, string> {
  const calls = world.hosts.flatMap((host) => host.calls).filter(({ target }) => !target.startsWith('ResourcePool'));
  return new Map(inventory(world)).set(CALLED, calls.map(({ method, target }) => `${target}.${method}`).join(' '));
}

function inventory(world: World): ReadonlyMap<string, string> {
  const { graph } = world.center.service;
  const known = pictures.get(world);
  if (known?.version === graph.version) return known.picture;
  const found = new Map<string, string>();
  for (const ref of world.entities()) {
    const object = graph.find(ref);
    const values = CORE.map((path) =>
      path === 'host' && ref.type !== 'VmwareDistributedVirtualSwitch' ? '' : object?.getPath(path),
    );
    found.set(moRefKey(ref), JSON.stringify(values));
  }
  pictures.set(world, { version: graph.version, picture: found });
  return found;
}

const CALM_TURNS = 10;

/** What a call has set going, a host that comes back for one, comes to an end. */
export async function quiet({ center: { service } }: World): Promise<void> {
  for (let calm = 0, last = service.graph.version; calm < CALM_TURNS; calm++) {
    await turn();
    if (service.graph.version !== last) calm = 0;
    last = service.graph.version;
  }
}
