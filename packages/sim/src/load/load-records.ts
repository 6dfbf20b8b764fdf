// The records of a saved inventory but for hosts' own things and VMs: folders, datacenters, compute resources, pools, vApps, datastores,
// networks, hosts. Parents before children.
import { CHILD_TYPES, type InventoryOp } from '@vivarium/vcenter';
import { type MoRef, make, type ResourceConfigSpec } from '@vivarium/vim';
import { datacenterOf, type Loading, named, nameOf, refOf } from './loading.ts';
import { type SavedType, told, wrong } from './saved-object.ts';
import type { TreeNode } from './saved-tree.ts';

type FolderKind = keyof typeof CHILD_TYPES;

/** Which of the types below a folder of the kind. */
const IN_FOLDER: { readonly [K in FolderKind]: readonly SavedType[] } = {
  datacenter: ['Folder', 'Datacenter'],
  vm: ['Folder', 'VirtualMachine'],
  host: ['Folder', 'ComputeResource', 'ClusterComputeResource'],
  datastore: ['Folder', 'Datastore', 'StoragePod'],
  network: [
    'Folder',
    'Network',
    'DistributedVirtualSwitch',
    'VmwareDistributedVirtualSwitch',
    'DistributedVirtualPortgroup',
  ],
};
const OWN_FOLDERS = ['vm', 'host', 'datastore', 'network'] as const;
const HTTPS_PORT = 443;

/** What is known of nodes where hosts and datastores were made already. */
export interface Known {
  /** Of a datastore. */
  readonly urlOf: (node: TreeNode) => string;
  /** Of a host's hardware. */
  readonly uuidOf: (node: TreeNode) => string;
}

/** Throws FlagError. */
export async function loadRecords(loading: Loading, known: Known): Promise<void> {
  const kinds = new Map<TreeNode, FolderKind>([[loading.tree.root, 'datacenter']]);
  const ops: InventoryOp[] = [];
  for (const node of loading.tree.nodes) {
    const { object, parent } = node;
    const type = object.ref.type as SavedType;
    const kind = parent && kinds.get(parent);
    if (kind && !IN_FOLDER[kind].includes(type)) throw wrong(object, `it cannot be in a folder of a ${kind}`);
    if (type === 'Folder') kinds.set(node, kinds.get(node) ?? folderKind(loading, node, kind));
    if (!parent) continue;
    const op = recordOf(loading, node, { ...known, kind: kinds.get(node) });
    if (op) ops.push(op);
  }
  await loading.records.put(ops);
}

function folderKind(loading: Loading, node: TreeNode, above: FolderKind | undefined): FolderKind {
  if (above) return above;
  const datacenter = node.parent?.object;
  const own = OWN_FOLDERS.find((kind) => {
    const ref = datacenter && told(datacenter, 'Datacenter', `${kind}Folder`);
    return loading.tree.find(ref) === node;
  });
  if (!own) throw wrong(node.object, 'its datacenter does not name it as one of its folders');
  return own;
}

function recordOf(
  loading: Loading,
  node: TreeNode,
  { kind, urlOf, uuidOf }: Known & { readonly kind: FolderKind | undefined },
): InventoryOp | undefined {
  const { object } = node;
  const name = nameOf(node);
  const parent = node.parent?.ref as MoRef;
  const within = { name, parent };
  switch (object.ref.type as SavedType) {
    case 'Folder': {
      const isFixed = node.parent?.object.ref.type === 'Datacenter';
      return { put: refOf(node, 'Folder'), record: { ...within, childType: [...CHILD_TYPES[kind ?? 'vm']], isFixed } };
    }
    case 'Datacenter': {
      const folder = (one: (typeof OWN_FOLDERS)[number]) => {
        const property = `${one}Folder` as const;
        return refOf(
          named(loading, node, { property, ref: told(object, 'Datacenter', property), types: ['Folder'] }),
          'Folder',
        );
      };
      const folders = {
        vmFolder: folder('vm'),
        hostFolder: folder('host'),
        datastoreFolder: folder('datastore'),
        networkFolder: folder('network'),
      };
      return { put: refOf(node, 'Datacenter'), record: { ...within, ...folders } };
    }
    case 'ComputeResource':
      return { put: refOf(node, 'ComputeResource'), record: { ...within, resourcePool: rootPool(loading, node) } };
    case 'ClusterComputeResource': {
      const record = {
        ...within,
        resourcePool: rootPool(loading, node),
        configuration: loading.records.clusterConfig(),
      };
      return { put: refOf(node, 'ClusterComputeResource'), record };
    }
    case 'ResourcePool': {
      const isRoot = node.parent?.object.ref.type.endsWith('ComputeResource') ?? false;
      const config = isRoot ? {} : { config: poolConfig(loading, node) };
      return { put: refOf(node, 'ResourcePool'), record: { ...within, owner: ownerOf(loading, node), ...config } };
    }
    case 'VirtualApp':
      return {
        put: refOf(node, 'VirtualApp'),
        record: { ...within, owner: ownerOf(loading, node), ...appRecord(loading, node) },
      };
    case 'HostSystem': {
      const reach = { address: name, port: HTTPS_PORT, thumbprint: '', uuid: uuidOf(node) };
      return {
        put: refOf(node, 'HostSystem'),
        record: { ...within, ...reach, isDisconnected: false, inMaintenanceMode: false },
      };
    }
    case 'StoragePod':
      return { put: refOf(node, 'StoragePod'), record: within };
    case 'Datastore': {
      const datacenter = refOf(datacenterOf(loading, node), 'Datacenter');
      return { put: refOf(node, 'Datastore'), record: { ...within, datacenter, url: urlOf(node) } };
    }
    case 'Network':
      return {
        put: refOf(node, 'Network'),
        record: { ...within, datacenter: refOf(datacenterOf(loading, node), 'Datacenter') },
      };
    default:
      return undefined;
  }
}

function rootPool(loading: Loading, node: TreeNode): MoRef<'ResourcePool'> {
  const ref = told(node.object, 'ComputeResource', 'resourcePool');
  const pool = named(loading, node, { property: 'resourcePool', ref, types: ['ResourcePool'] });
  if (pool.parent !== node) throw wrong(node.object, 'its resource pool is not in it');
  return refOf(pool, 'ResourcePool');
}

function ownerOf(loading: Loading, node: TreeNode): MoRef<'ComputeResource'> {
  const { tree } = loading;
  const owner = tree.above(node, 'ClusterComputeResource') ?? tree.above(node, 'ComputeResource');
  if (!owner) throw wrong(node.object, 'it is in no compute resource');
  return refOf(owner, 'ComputeResource');
}

/** Limits that are no limits, reservations below nothing: as a new pool instead. */
function poolConfig({ records, leftOut }: Loading, { object }: TreeNode): ResourceConfigSpec {
  const usual = make('ResourceConfigSpec', { cpuAllocation: {}, memoryAllocation: {} } as never);
  const said = told(object, 'ResourcePool', 'config');
  const config = { ...usual, cpuAllocation: said?.cpuAllocation ?? {}, memoryAllocation: said?.memoryAllocation ?? {} };
  return (
    leftOut.try('allocations of pools', () => records.poolConfig(config as ResourceConfigSpec)) ??
    records.poolConfig(usual)
  );
}

function appRecord(loading: Loading, node: TreeNode) {
  const { records } = loading;
  const { annotation, instanceUuid } = told(node.object, 'VirtualApp', 'vAppConfig') ?? {};
  const spec = make('VAppConfigSpec', { annotation, instanceUuid });
  const ref = told(node.object, 'VirtualApp', 'parentFolder');
  const folder = ref && refOf(named(loading, node, { property: 'parentFolder', ref, types: ['Folder'] }), 'Folder');
  return { config: poolConfig(loading, node), vAppConfig: records.appConfig(spec), ...(folder ? { folder } : {}) };
}
