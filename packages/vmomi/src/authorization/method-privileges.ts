// What a call needs: the schema's privilege of the method and of its arguments, and, for methods that the schema leaves
// to their implementation, the privileges that the vSphere API reference names for them. Reads the graph, changes nothing.
import {
  type ManagedObjectReference,
  type MethodInfo,
  type MoRef,
  schema,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import { reconfigurePrivileges } from './reconfigure-privileges.ts';

export interface Requirement {
  readonly object: ManagedObject;
  readonly privilege: string;
}

type Args = Readonly<Record<string, unknown>>;
type Rule =
  | string
  | Readonly<Record<string, string>>
  | ((args: Args, object: ManagedObject, graph: ObjectGraph) => Requirement[]);

const RENAME: Readonly<Record<string, string>> = {
  VirtualMachine: 'VirtualMachine.Config.Rename',
  VirtualApp: 'VApp.Rename',
  Folder: 'Folder.Rename',
  Datacenter: 'Datacenter.Rename',
  Datastore: 'Datastore.Rename',
  DistributedVirtualPortgroup: 'DVPortgroup.Modify',
  DistributedVirtualSwitch: 'DVSwitch.Modify',
  Network: 'Network.Config',
  ResourcePool: 'Resource.RenamePool',
  ComputeResource: 'Host.Inventory.RenameCluster',
};

const DESTROY: Readonly<Record<string, string>> = {
  VirtualMachine: 'VirtualMachine.Inventory.Delete',
  VirtualApp: 'VApp.Delete',
  Folder: 'Folder.Delete',
  Datacenter: 'Datacenter.Delete',
  Datastore: 'Datastore.Delete',
  DistributedVirtualPortgroup: 'DVPortgroup.Delete',
  DistributedVirtualSwitch: 'DVSwitch.Delete',
  Network: 'Network.Delete',
  ResourcePool: 'Resource.DeletePool',
  ComputeResource: 'Host.Inventory.DeleteCluster',
  HostSystem: 'Host.Inventory.RemoveHostFromCluster',
};

const TICKET: Readonly<Record<string, string>> = {
  device: 'VirtualMachine.Interact.DeviceConnection',
  guestControl: 'VirtualMachine.Interact.GuestControl',
  guestIntegrity: 'VirtualMachine.Interact.GuestControl',
};

/** Nothing beyond seeing the object: a session's own objects, and methods that check by themselves. */
const SEEN = 'System.View';

const RULES: Readonly<Record<string, Rule>> = {
  Fetch: 'System.Anonymous', // checked per property
  DestroyPropertyFilter: SEEN,
  SetCollectorPageSize: SEEN,
  RewindCollector: SEEN,
  ResetCollector: SEEN,
  DestroyCollector: SEEN,
  ReadNextTasks: SEEN,
  ReadPreviousTasks: SEEN,
  ReadNextEvents: SEEN,
  ReadPreviousEvents: SEEN,
  OpenInventoryViewFolder: SEEN,
  ResetListViewFromView: SEEN,
  HttpNfcLeaseGetManifest: SEEN,
  HttpNfcLeaseSetManifestChecksumType: SEEN,
  HttpNfcLeaseComplete: SEEN,
  HttpNfcLeaseAbort: SEEN,
  HttpNfcLeaseProgress: SEEN,
  RetrieveUserGroups: SEEN,
  CancelTask: SEEN, // one's own; others need Global.CancelTask, see task-manager.ts
  setCustomValue: 'Global.SetCustomField',
  UpdateOptions: { default: 'Global.Settings', HostSystem: 'Host.Config.AdvancedConfig' },
  Rename_Task: RENAME,
  Destroy_Task: (_args, object, graph) => {
    const privilege = byType(DESTROY, object.ref.type);
    return privilege === 'Resource.DeletePool' ? deletePool(object, graph) : [{ object, privilege }];
  },
  UpdateConfig: (_args, pool, graph) => editPool(pool, graph),
  UpdateChildResourceConfiguration: ({ spec }, pool, graph) => [
    { object: pool, privilege: 'System.Read' },
    ...refsOf((spec as { entity?: unknown }[]).map(({ entity }) => entity)).flatMap((ref) =>
      ref.type === 'VirtualMachine'
        ? [{ object: graph.get(ref), privilege: 'VirtualMachine.Config.Resource' }]
        : editPool(graph.get(ref), graph),
    ),
  ],
  MoveIntoResourcePool: ({ list }, target, graph) => [
    { object: target, privilege: 'System.Read' },
    ...refsOf(list).flatMap((ref) => moveIntoPool(graph.get(ref), target, graph)),
  ],
  DestroyChildren: (_args, pool, graph) => [
    { object: pool, privilege: 'Resource.DeletePool' },
    ...refsOf(pool.getPath('resourcePool')).map((ref) => ({
      object: graph.get(ref),
      privilege: 'Resource.DeletePool',
    })),
  ],
  UpdateVAppConfig: 'VApp.ApplicationConfig',
  MoveIntoFolder_Task: (args, folder, graph) => [
    { object: folder, privilege: 'System.Read' },
    ...refsOf(args['list']).map((ref) => ({ object: graph.get(ref), privilege: movePrivilege(ref) })),
  ],
  ReconfigVM_Task: (args, object) =>
    reconfigurePrivileges(args['spec'] as VirtualMachineConfigSpec).map((privilege) => ({ object, privilege })),
  MigrateVM_Task: (_args, object) => [
    {
      object,
      privilege: object.getPath('runtime.powerState') === 'poweredOff' ? 'Resource.ColdMigrate' : 'Resource.HotMigrate',
    },
  ],
  CloneVM_Task: (_args, object) => [
    {
      object,
      privilege: `VirtualMachine.Provisioning.${object.getPath('config.template') === true ? 'DeployTemplate' : 'Clone'}`,
    },
  ],
  AcquireTicket: ({ ticketType }, object) => [
    { object, privilege: TICKET[String(ticketType)] ?? 'VirtualMachine.Interact.ConsoleInteract' },
  ],
  ReconfigureDvs_Task: 'DVSwitch.Modify',
  ReconfigureDVPortgroup_Task: 'DVPortgroup.Modify',
  UpdateNetworkConfig: 'Host.Config.Network',
  AddVirtualNic: 'Host.Config.Network',
  UpdateVirtualNic: 'Host.Config.Network',
  AddServiceConsoleVirtualNic: 'Host.Config.Network',
  UpdateServiceConsoleVirtualNic: 'Host.Config.Network',
  ApplyRecommendation: 'Resource.ApplyRecommendation',
  SearchDatastore_Task: ({ datastorePath }, browser, graph) => browse(graph, browser, datastorePath),
  SearchDatastoreSubFolders_Task: ({ datastorePath }, browser, graph) => browse(graph, browser, datastorePath),
  // Which datastores their paths mean only FileManager knows: in a vCenter several may have one name.
  DeleteDatastoreFile_Task: SEEN,
  MakeDirectory: SEEN,
  MoveDatastoreFile_Task: SEEN,
  CopyDatastoreFile_Task: SEEN,
};

/** Methods that neither the schema nor the rules cover are closed to all but administrators. */
const OTHERWISE = 'Global.Settings';

/** The privilege that a method needs before its arguments are looked at; also tells what is open without a login. */
export function methodPrivilege(method: MethodInfo): string {
  if (method.privilege !== undefined) return method.privilege;
  const rule = RULES[method.name];
  return rule === SEEN || rule === 'System.Anonymous' ? rule : 'System.View';
}

/** All that a call needs. Fault: ManagedObjectNotFound for an argument that names no object. */
export function requirements(graph: ObjectGraph, object: ManagedObject, method: MethodInfo, args: Args): Requirement[] {
  const own =
    method.privilege === undefined ? byRule(graph, object, method, args) : [{ object, privilege: method.privilege }];
  const byArgument = method.params.flatMap(({ name, privilege }) =>
    privilege === undefined ? [] : refsOf(args[name]).map((ref) => ({ object: graph.get(ref), privilege })),
  );
  return [...own, ...byArgument];
}

function byRule(graph: ObjectGraph, object: ManagedObject, method: MethodInfo, args: Args): Requirement[] {
  const rule = RULES[method.name];
  if (typeof rule === 'function') return rule(args, object, graph);
  if (typeof rule === 'string') return [{ object, privilege: rule }];
  if (rule) return [{ object, privilege: byType(rule, object.entity?.type ?? object.ref.type) }];
  return method.params.some(({ privilege }) => privilege !== undefined) ? [] : [{ object, privilege: OTHERWISE }];
}

/** The entry of the type or of its nearest base. */
function byType(table: Readonly<Record<string, string>>, type: string): string {
  for (let name: string | undefined = type; name !== undefined; name = schema.managed(name)?.base) {
    const privilege = table[name];
    if (privilege !== undefined) return privilege;
  }
  return table['default'] ?? OTHERWISE;
}

function movePrivilege({ type }: ManagedObjectReference): string {
  if (type === 'VirtualMachine') return 'VirtualMachine.Inventory.Move';
  return (
    { Folder: 'Folder.Move', Datacenter: 'Datacenter.Move', Datastore: 'Datastore.Move' }[type] ??
    'Host.Inventory.MoveHost'
  );
}

/** With the pool around it, if that is one. */
function withParentPool(pool: ManagedObject, graph: ObjectGraph): ManagedObject[] {
  const { parent } = pool;
  return parent?.type === 'ResourcePool' || parent?.type === 'VirtualApp' ? [pool, graph.get(parent)] : [pool];
}

function editPool(pool: ManagedObject, graph: ObjectGraph): Requirement[] {
  return withParentPool(pool, graph).map((object) => ({ object, privilege: 'Resource.EditPool' }));
}

/** Its VMs come into its parent. */
function deletePool(pool: ManagedObject, graph: ObjectGraph): Requirement[] {
  const objects = withParentPool(pool, graph);
  const vms = refsOf(pool.getPath('vm')).flatMap((ref) => graph.find(ref) ?? []);
  const into = vms.length > 0 ? objects.slice(1) : [];
  return [
    ...objects.map((object) => ({ object, privilege: 'Resource.DeletePool' })),
    ...[...into, ...vms].map((object) => ({ object, privilege: 'Resource.AssignVMToPool' })),
  ];
}

function moveIntoPool(entity: ManagedObject, target: ManagedObject, graph: ObjectGraph): Requirement[] {
  const isVm = entity.ref.type === 'VirtualMachine';
  const privilege = isVm ? 'Resource.AssignVMToPool' : 'Resource.MovePool';
  const moved = isVm ? [entity] : withParentPool(entity, graph);
  return [...moved, target].map((object) => ({ object, privilege }));
}

/**
 * A browser shows one datastore, or those of its host: a path names one of them, and another vCenter datastore of that name is
 * none of its business. `browser` itself where there is none of that name.
 */
function browse(graph: ObjectGraph, browser: ManagedObject, path: unknown): Requirement[] {
  const privilege = 'Datastore.Browse';
  if (browser.entity?.type === 'Datastore') return [{ object: browser, privilege }];
  const name = /^\s*\[([^\]]+)\]/.exec(String(path))?.[1];
  const owner = browser.entity && graph.find(browser.entity);
  const named = refsOf(owner?.getPath('datastore')).flatMap((ref) => graph.find(ref) ?? []);
  return [{ object: named.find((datastore) => datastore.getPath('name') === name) ?? browser, privilege }];
}

function refsOf(value: unknown): MoRef[] {
  if (Array.isArray(value)) return value.flatMap(refsOf);
  const isRef = typeof value === 'object' && value !== null && 'type' in value && 'value' in value;
  return isRef ? [value as MoRef] : [];
}
