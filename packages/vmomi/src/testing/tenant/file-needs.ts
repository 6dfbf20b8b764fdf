// For tests: what FileManager and VirtualDiskManager need, which look at their paths themselves.
import type { MoRef } from '@vivarium/vim';
import { type Args, type Need, onDatastore } from './need.ts';
import type { World } from './world.ts';

const PLACES = [
  ['name', 'datacenter'],
  ['sourceName', 'sourceDatacenter'],
  ['destName', 'destDatacenter'],
  ['destinationName', 'destinationDatacenter'],
] as const;

/** Nothing where one of the paths leads nowhere. `only`: the datacenter where no other can be meant. */
export function fileNeeds(world: World, target: MoRef, method: string, args: Args, only?: MoRef): Need[] {
  if (!/^(File|VirtualDisk)Manager$/.test(target.type)) return [];
  if (!world.service.graph.find(target)?.method(method)) return [];
  let datacenter: MoRef | undefined;
  const needs: Need[] = [];
  for (const [path, within] of PLACES) {
    if (args[path] === undefined) continue;
    datacenter = only ?? (args[within] as MoRef | undefined) ?? datacenter;
    // A URL says itself in which datacenter.
    const isLost = !datacenter || (!only && /^https?:/.test(String(args[path])));
    const found =
      isLost || !datacenter ? [] : onDatastore(world, datacenter, 'Datastore.FileManagement', String(args[path]));
    if (found.length === 0) return [];
    needs.push(...found);
  }
  return needs;
}
