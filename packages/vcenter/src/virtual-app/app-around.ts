// Which vApp something is in, and which folder. By the inventory's records alone.
import type { ManagedObjectReference, MoRef } from '@vivarium/vim';
import type { Inventory } from '../inventory/inventory.ts';
import { isApp, isPool } from '../resource-pool/pool-ref.ts';

type Known = Pick<Inventory, 'find' | 'get' | 'parentOf' | 'above'>;

/** The nearest vApp at or above a pool. */
export function appAround(inventory: Known, pool: ManagedObjectReference): MoRef<'VirtualApp'> | undefined {
  let at: ManagedObjectReference | undefined = pool;
  for (; isPool(at); at = inventory.parentOf(at)) if (isApp(at)) return at;
  return undefined;
}

/** Every vApp around it, the nearest first. */
export function appsAround(inventory: Known, ref: ManagedObjectReference): MoRef<'VirtualApp'>[] {
  const apps: MoRef<'VirtualApp'>[] = [];
  for (let at = inventory.parentOf(ref); isPool(at); at = inventory.parentOf(at)) if (isApp(at)) apps.push(at);
  return apps;
}

/** Where something comes that leaves the vApp: its folder, or that of the outermost vApp around it. */
export function folderOfApp(inventory: Known, app: MoRef<'VirtualApp'>): MoRef<'Folder'> {
  const outermost = appsAround(inventory, app).at(-1) ?? app;
  const { folder } = inventory.get<'VirtualApp'>(outermost);
  if (folder && inventory.find<'Folder'>(folder)) return folder;
  const datacenter = inventory.above(app, 'Datacenter') as MoRef<'Datacenter'>;
  return inventory.get<'Datacenter'>(datacenter).vmFolder;
}
