// Makes folders, datacenters, compute resources: the records that belong together, as one change of the inventory.
import { type ClusterConfigInfoEx, type MoRef, moRef } from '@vivarium/vim';
import { type Inventory, type InventoryOp, NOWHERE } from '../inventory/inventory.ts';

export const ROOT_FOLDER = moRef('Folder', 'group-d1');

/** Folder.childType of a datacenter's four folders, and of the folders below them. */
export const CHILD_TYPES = {
  datacenter: ['Folder', 'Datacenter'],
  vm: ['Folder', 'VirtualMachine', 'VirtualApp'],
  host: ['Folder', 'ComputeResource'],
  datastore: ['Folder', 'Datastore', 'StoragePod'],
  network: ['Folder', 'Network', 'DistributedVirtualSwitch'],
} as const;

/** StoragePod.childType. */
export const POD_CHILD_TYPES = ['Datastore'] as const;

const FOLDER_PREFIXES = {
  datacenter: 'group-d',
  vm: 'group-v',
  host: 'group-h',
  datastore: 'group-s',
  network: 'group-n',
} as const;

type FolderKind = keyof typeof CHILD_TYPES;

/** The first start: the root folder. Ids count from there. */
export async function ensureRootFolder(inventory: Inventory): Promise<void> {
  if (!inventory.isEmpty) return;
  const root = inventory.newRef('Folder');
  const record = { name: 'Datacenters', parent: NOWHERE, childType: [...CHILD_TYPES.datacenter], isFixed: true };
  await inventory.apply([{ put: root, record }]);
}

/** A folder below another one holds what that one holds. */
export function newFolder(
  inventory: Inventory,
  parent: MoRef<'Folder'>,
  name: string,
): { ref: MoRef<'Folder'>; ops: InventoryOp[] } {
  const kind = kindOf(inventory.get(parent).childType);
  return folder(inventory, parent, name, kind, false);
}

export function newDatacenter(
  inventory: Inventory,
  parent: MoRef<'Folder'>,
  name: string,
): { ref: MoRef<'Datacenter'>; ops: InventoryOp[] } {
  const ref = inventory.newRef('Datacenter');
  const vm = folder(inventory, ref, 'vm', 'vm', true);
  const host = folder(inventory, ref, 'host', 'host', true);
  const datastore = folder(inventory, ref, 'datastore', 'datastore', true);
  const network = folder(inventory, ref, 'network', 'network', true);
  const record = {
    name,
    parent,
    vmFolder: vm.ref,
    hostFolder: host.ref,
    datastoreFolder: datastore.ref,
    networkFolder: network.ref,
  };
  return { ref, ops: [{ put: ref, record }, ...vm.ops, ...host.ops, ...datastore.ops, ...network.ops] };
}

export function newCluster(
  inventory: Inventory,
  parent: MoRef<'Folder'>,
  name: string,
  configure: (cluster: MoRef<'ClusterComputeResource'>) => ClusterConfigInfoEx,
): { ref: MoRef<'ClusterComputeResource'>; ops: InventoryOp[] } {
  const ref = inventory.newRef('ClusterComputeResource');
  const pool = rootPool(inventory, ref);
  const record = { name, parent, resourcePool: pool.ref, configuration: configure(ref) };
  return { ref, ops: [{ put: ref, record }, pool.op] };
}

/** The compute resource around a host that is in no cluster; it has the host's name. */
export function newStandalone(
  inventory: Inventory,
  parent: MoRef<'Folder'>,
  name: string,
): { ref: MoRef<'ComputeResource'>; pool: MoRef<'ResourcePool'>; ops: InventoryOp[] } {
  const ref = inventory.newRef('ComputeResource');
  const pool = rootPool(inventory, ref);
  return { ref, pool: pool.ref, ops: [{ put: ref, record: { name, parent, resourcePool: pool.ref } }, pool.op] };
}

export function newStoragePod(
  inventory: Inventory,
  parent: MoRef<'Folder'>,
  name: string,
): { ref: MoRef<'StoragePod'>; ops: InventoryOp[] } {
  const ref = inventory.newRef('StoragePod');
  return { ref, ops: [{ put: ref, record: { name, parent } }] };
}

function rootPool(inventory: Inventory, owner: MoRef<'ComputeResource'>) {
  const ref = inventory.newRef('ResourcePool');
  return { ref, op: { put: ref, record: { name: 'Resources', parent: owner as MoRef, owner } } satisfies InventoryOp };
}

function folder(inventory: Inventory, parent: MoRef, name: string, kind: FolderKind, isFixed: boolean) {
  const ref = inventory.newRef('Folder', FOLDER_PREFIXES[kind]);
  const record = { name, parent, childType: [...CHILD_TYPES[kind]], isFixed };
  return { ref, ops: [{ put: ref, record }] satisfies InventoryOp[] };
}

function kindOf(childType: readonly string[]): FolderKind {
  const kinds = Object.keys(CHILD_TYPES) as FolderKind[];
  return kinds.find((kind) => CHILD_TYPES[kind].every((type) => childType.includes(type))) ?? 'vm';
}
