// Finds or makes the inventory's datastores and networks for those that a host tells of: a datastore is known by its URL, a
// network by its name, each within the host's datacenter.
import { type DatastoreInfo, type ManagedObjectReference, type MoRef, moRefKey } from '@vivarium/vim';
import { parseHiddenPortGroup, portgroupRef } from '../distributed-switch/hidden-network.ts';
import { escapeName, plainName } from '../inventory/entity-name.ts';
import type { Inventory, InventoryOp } from '../inventory/inventory.ts';
import type { ReferenceMap } from './reference-map.ts';
import type { SharedIndex } from './shared-index.ts';

interface Report {
  readonly ref: ManagedObjectReference;
  readonly said: Readonly<Record<string, unknown>>;
}

export interface PlaceSharedOptions {
  readonly inventory: Inventory;
  readonly index: SharedIndex;
  readonly host: MoRef<'HostSystem'>;
  /** All datastores and networks that the host has now. */
  readonly reports: readonly Report[];
  readonly refs: ReferenceMap;
  /** The host no longer has it; tells whether another one has. */
  readonly withdraw: (ref: MoRef<'Datastore' | 'Network' | 'DistributedVirtualPortgroup'>) => boolean;
}

/** Tells whether a datastore is called differently here than before. Within `inventory.exclusively`. */
export async function placeShared(options: PlaceSharedOptions): Promise<boolean> {
  const { inventory, index, host, reports, refs } = options;
  const datacenter = inventory.above(host, 'Datacenter') as MoRef<'Datacenter'>;
  const { datastoreFolder, networkFolder } = inventory.get(datacenter);
  const ops: InventoryOp[] = [];
  const taken = new Set<string>();
  const networks: { readonly hostName: string; readonly centerName: string }[] = [];
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
      const known = index.networkNamed(datacenter, name);
      const ref = known ?? inventory.newRef('Network');
      const free = known ? inventory.get<'Network'>(known).name : inventory.freeName(networkFolder, name);
      networks.push({ hostName: name, centerName: free });
      if (!known) {
        const record = { name: free, parent: networkFolder, datacenter };
        ops.push({ put: ref, record: free === name ? record : { ...record, hostName: name } });
      }
      refs.set(local, ref);
      continue;
    }
    const url = (said['info'] as DatastoreInfo | undefined)?.url ?? '';
    const known = index.datastoreAt(datacenter, url);
    const record = known && inventory.get<'Datastore'>(known);
    const ref = known ?? inventory.newRef('Datastore');
    const isTaken = (one: string) => taken.has(one) || index.datastoreNamed(datacenter, one) !== undefined;
    // Renamed on the host, which called it as we do.
    const isFollowed = record && record.name !== name && refs.hostDatastoreName(ref) === plainName(record.name);
    const centerName = record && !isFollowed ? record.name : inventory.freeName(datastoreFolder, name, isTaken);
    if (!record || isFollowed) {
      taken.add(centerName);
      const made = { parent: datastoreFolder as MoRef, datacenter, url };
      ops.push({ put: ref, record: { ...(record ?? made), name: centerName } });
    }
    refs.set(local, ref);
    if (refs.nameDatastore(ref, plainName(name), plainName(centerName))) isRenamed = true;
  }
  refs.nameNetworks(networks);
  if (ops.length > 0) await inventory.apply(ops);
  await forgetGone(options);
  return isRenamed;
}

/** What the host had and has no longer; the entity goes when no host has it. */
async function forgetGone(options: PlaceSharedOptions): Promise<void> {
  const { inventory, reports, refs } = options;
  const there = new Set(reports.map(({ ref }) => moRefKey(refs.centerOf(ref) ?? ref)));
  const gone: InventoryOp[] = [];
  for (const type of ['Datastore', 'Network', 'DistributedVirtualPortgroup'] as const) {
    for (const [ref, local] of refs.ofType(type)) {
      if (there.has(moRefKey(ref))) continue;
      refs.forget(local);
      const isKept = options.withdraw(ref);
      if (!isKept && inventory.find(ref as MoRef<'Network'>)) gone.push({ remove: ref as MoRef<'Network'> });
    }
  }
  if (gone.length > 0) await inventory.apply(gone);
}
