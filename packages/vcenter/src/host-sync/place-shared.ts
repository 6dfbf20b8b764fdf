// Finds or makes the inventory's datastores and networks for those that a host tells of: a datastore is known by its URL, a
// network by its name, each within the host's datacenter.
import { type DatastoreInfo, type ManagedObjectReference, type MoRef, moRefKey } from '@vivarium/vim';
import { parseHiddenPortGroup, portgroupRef } from '../distributed-switch/hidden-network.ts';
import { escapeName } from '../inventory/entity-name.ts';
import type { Inventory, InventoryOp } from '../inventory/inventory.ts';
import type { ReferenceMap } from './reference-map.ts';

interface Report {
  readonly ref: ManagedObjectReference;
  readonly said: Readonly<Record<string, unknown>>;
}

export interface PlaceSharedOptions {
  readonly inventory: Inventory;
  readonly host: MoRef<'HostSystem'>;
  /** All datastores and networks that the host has now. */
  readonly reports: readonly Report[];
  readonly refs: ReferenceMap;
  /** The host no longer has it; tells whether another one has. */
  readonly withdraw: (ref: MoRef<'Datastore' | 'Network' | 'DistributedVirtualPortgroup'>) => boolean;
}

/** Tells whether a datastore is called differently here than before. Within `inventory.exclusively`. */
export async function placeShared(options: PlaceSharedOptions): Promise<boolean> {
  const { inventory, host, reports, refs } = options;
  const datacenter = inventory.above(host, 'Datacenter') as MoRef<'Datacenter'>;
  const { datastoreFolder, networkFolder } = inventory.get(datacenter);
  const ops: InventoryOp[] = [];
  const taken = new Set<string>();
  let isRenamed = false;
  for (const { ref: local, said } of reports) {
    const name = escapeName(String(said['name'] ?? ''));
    if (local.type === 'Network') {
      const hidden = parseHiddenPortGroup(said['name']);
      if (hidden) {
        const portgroup = portgroupRef(hidden.portgroupKey);
        const owner = inventory.find(portgroup)?.dvs;
        // What is left of a switch that is no longer there, or of another vCenter's, is nothing here.
        if (owner && inventory.find(owner)?.uuid === hidden.switchUuid) refs.set(local, portgroup);
        else refs.forget(local);
        continue;
      }
      const known = findIn(inventory, 'Network', datacenter, (record) => record.name === name);
      const ref = known ?? inventory.newRef('Network');
      if (!known) ops.push({ put: ref, record: { name, parent: networkFolder, datacenter } });
      refs.set(local, ref);
      continue;
    }
    const url = (said['info'] as DatastoreInfo | undefined)?.url ?? '';
    const known = findIn(inventory, 'Datastore', datacenter, (record) => record.url === url);
    const ref = known ?? inventory.newRef('Datastore');
    const centerName = known
      ? inventory.get(known).name
      : inventory.freeName(datastoreFolder, name, (one) => taken.has(one));
    if (!known) {
      taken.add(centerName);
      ops.push({ put: ref, record: { name: centerName, parent: datastoreFolder, datacenter, url } });
    }
    refs.set(local, ref);
    if (refs.nameDatastore(name, centerName)) isRenamed = true;
  }
  if (ops.length > 0) await inventory.apply(ops);
  await forgetGone(options, datacenter);
  return isRenamed;
}

/** What the host had and has no longer; the entity goes when no host has it. */
async function forgetGone(options: PlaceSharedOptions, datacenter: MoRef<'Datacenter'>): Promise<void> {
  const { inventory, reports, refs } = options;
  const there = new Set(reports.map(({ ref }) => moRefKey(refs.centerOf(ref) ?? ref)));
  const gone: InventoryOp[] = [];
  for (const type of ['Datastore', 'Network', 'DistributedVirtualPortgroup'] as const) {
    for (const [ref, record] of inventory.ofType(type)) {
      if (record.datacenter.value !== datacenter.value || there.has(moRefKey(ref)) || !refs.hostOf(ref)) continue;
      const local = refs.hostOf(ref);
      if (local) refs.forget(local);
      if (!options.withdraw(ref)) gone.push({ remove: ref as MoRef<'Network'> });
    }
  }
  if (gone.length > 0) await inventory.apply(gone);
}

function findIn<T extends 'Datastore' | 'Network'>(
  inventory: Inventory,
  type: T,
  datacenter: MoRef<'Datacenter'>,
  isIt: (record: { readonly name: string; readonly url?: string }) => boolean,
): MoRef<T> | undefined {
  for (const [ref, record] of inventory.ofType(type)) {
    if (record.datacenter.value === datacenter.value && isIt(record)) return ref;
  }
  return undefined;
}
