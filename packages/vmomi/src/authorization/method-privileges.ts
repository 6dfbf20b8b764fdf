// What a call needs: the schema's privilege of the method and of its arguments, and, for methods that the schema leaves
// to their implementation, the privileges that the vSphere API reference names for them. Reads the graph, changes nothing.
import type { MethodInfo, MoRef, VirtualMachineConfigSpec } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import { byType, OTHERWISE } from './by-type.ts';
import {
  datacenterOf,
  datastoresNamed,
  deviceRequirements,
  fileRequirements,
  newVmRequirements,
} from './placement-privileges.ts';
import { reconfigurePrivileges } from './reconfigure-privileges.ts';
import { objectsAt, on, parentOf, type Requirement, refsOf } from './requirement.ts';
import {
  destroyChildrenRequirements,
  destroyRequirements,
  moveRequirements,
  poolAround,
  unregisterAppRequirements,
} from './tree-privileges.ts';

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

const TICKET: Readonly<Record<string, string>> = {
  device: 'VirtualMachine.Interact.DeviceConnection',
  guestControl: 'VirtualMachine.Interact.GuestControl',
  guestIntegrity: 'VirtualMachine.Interact.GuestControl',
};

/** Nothing beyond seeing the object: a session's own objects, and methods that check by themselves. */
const SEEN = 'System.View';

/** They answer with those of their arguments that are not there. */
const TELL_WHAT_IS_GONE: ReadonlySet<string> = new Set([
  'ModifyListView',
  'ResetListView',
  'OpenInventoryViewFolder',
  'CloseInventoryViewFolder',
]);

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
  Destroy_Task: (_args, object, graph) => destroyRequirements(graph, object),
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
  DestroyChildren: (_args, pool, graph) => destroyChildrenRequirements(graph, pool),
  UpdateVAppConfig: 'VApp.ApplicationConfig',
  MoveIntoFolder_Task: ({ list }, folder, graph) => [
    ...on('System.Read', folder),
    ...refsOf(list).flatMap((ref) => moveRequirements(graph, graph.get(ref), folder)),
  ],
  ReconfigVM_Task: ({ spec }, vm, graph) => [
    ...reconfigurePrivileges(spec as VirtualMachineConfigSpec).flatMap((privilege) => on(privilege, vm)),
    ...deviceRequirements(graph, vm, spec as VirtualMachineConfigSpec),
  ],
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
  ReconfigureDvs_Task: ({ spec }, dvs, graph) => {
    const members = membersOf(graph, spec);
    return [...on('DVSwitch.Modify', dvs), ...members, ...(members.length > 0 ? on('DVSwitch.HostOp', dvs) : [])];
  },
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
  ChangeOwner: SEEN,
  DeleteDatastoreFile_Task: SEEN,
  MakeDirectory: SEEN,
  MoveDatastoreFile_Task: SEEN,
  CopyDatastoreFile_Task: SEEN,
};

/** Of SearchIndex: within a datacenter. */
const SEARCHES = [
  'FindByUuid',
  'FindAllByUuid',
  'FindByIp',
  'FindAllByIp',
  'FindByDnsName',
  'FindAllByDnsName',
  'FindByDatastorePath',
] as const;

/** What methods need besides the privilege that the schema names. */
const FURTHER: Readonly<Record<string, (args: Args, object: ManagedObject, graph: ObjectGraph) => Requirement[]>> = {
  CreateVM_Task: ({ config, host }, folder, graph) => [
    ...seen(graph, host),
    ...newVmRequirements(graph, folder, config as VirtualMachineConfigSpec),
  ],
  RegisterVM_Task: ({ path, pool, host }, folder, graph) => [
    ...seen(graph, host),
    ...(pool === undefined ? intoRootPools(graph, folder, host) : []),
    // Whoever registers a VM becomes its reader.
    ...fileRequirements(graph, folder, 'Datastore.Browse', String(path)),
  ],
  QueryCompatibleHostForNewDvs: ({ container }, _manager, graph) => seen(graph, container),
  QueryCompatibleHostForExistingDvs: ({ container, dvs }, _manager, graph) => [
    ...seen(graph, container),
    ...refsOf(dvs).flatMap((ref) => on('System.Read', graph.get(ref))),
  ],
  ...Object.fromEntries(
    SEARCHES.map((name) => [
      name,
      ({ datacenter }: Args, _index: ManagedObject, graph: ObjectGraph) => seen(graph, datacenter),
    ]),
  ),
  ImportVApp: ({ spec, folder, host }, pool, graph) => {
    const { configSpec } = spec as { configSpec?: VirtualMachineConfigSpec };
    return [
      ...seen(graph, host),
      ...(folder === undefined && !isInApp(graph, pool)
        ? on('VApp.Import', ...objectsAt(graph, datacenterOf(graph, pool), 'vmFolder'))
        : []),
      ...(configSpec ? newVmRequirements(graph, pool, configSpec) : []),
    ];
  },
  CreateChildVM_Task: ({ config, host }, app, graph) => [
    ...seen(graph, host),
    ...newVmRequirements(graph, app, config as VirtualMachineConfigSpec),
  ],
  RegisterChildVM_Task: ({ path, host }, app, graph) => [
    ...seen(graph, host),
    ...fileRequirements(graph, app, 'Datastore.Browse', String(path)),
  ],
  CreateVApp: ({ vmFolder }, pool, graph) => {
    if (pool.ref.type === 'VirtualApp') return [];
    const named = refsOf(vmFolder).map((ref) => graph.get(ref));
    return on('VApp.Create', ...(named.length > 0 ? named : objectsAt(graph, datacenterOf(graph, pool), 'vmFolder')));
  },
  unregisterVApp_Task: (_args, app, graph) => unregisterAppRequirements(graph, app),
  UnregisterVM: (_args, vm, graph) => on('VirtualMachine.Inventory.Unregister', parentOf(graph, vm)),
  DestroyDatastore: (_args, datastore, graph) => on('Datastore.Delete', parentOf(graph, datastore)),
  DestroyNetwork: (_args, network, graph) => on('Network.Delete', parentOf(graph, network)),
  AttachDisk_Task: ({ datastore }, _vm, graph) =>
    refsOf(datastore).flatMap((ref) => on('Datastore.Browse', graph.get(ref))),
  CreateDVS_Task: ({ spec }, _folder, graph) => membersOf(graph, (spec as { configSpec?: unknown }).configSpec),
};

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
  return [...own, ...byArguments(graph, method, args), ...(FURTHER[method.name]?.(args, object, graph) ?? [])];
}

function byArguments(graph: ObjectGraph, { name: method, params }: MethodInfo, args: Args): Requirement[] {
  const object = (ref: MoRef) => (TELL_WHAT_IS_GONE.has(method) ? graph.find(ref) : graph.get(ref));
  return params.flatMap(({ name, privilege }) =>
    privilege === undefined ? [] : on(privilege, ...refsOf(args[name]).map(object)),
  );
}

function byRule(graph: ObjectGraph, object: ManagedObject, method: MethodInfo, args: Args): Requirement[] {
  const rule = RULES[method.name];
  if (typeof rule === 'function') return rule(args, object, graph);
  if (typeof rule === 'string') return [{ object, privilege: rule }];
  if (rule) return [{ object, privilege: byType(rule, object.entity?.type ?? object.ref.type) }];
  return method.params.some(({ privilege }) => privilege !== undefined) ? [] : [{ object, privilege: OTHERWISE }];
}

function isInApp(graph: ObjectGraph, pool: ManagedObject): boolean {
  const around = poolAround(graph, pool);
  return pool.ref.type === 'VirtualApp' || (around !== undefined && isInApp(graph, around));
}

function seen(graph: ObjectGraph, refs: unknown): Requirement[] {
  return refsOf(refs).flatMap((ref) => on('System.View', graph.get(ref)));
}

function editPool(pool: ManagedObject, graph: ObjectGraph): Requirement[] {
  return on('Resource.EditPool', pool, poolAround(graph, pool));
}

function moveIntoPool(entity: ManagedObject, target: ManagedObject, graph: ObjectGraph): Requirement[] {
  if (entity.ref.type === 'VirtualMachine') return on('Resource.AssignVMToPool', entity, target);
  return on('Resource.MovePool', entity, poolAround(graph, entity), target);
}

/** Where a VM comes to that is registered without a pool: the one of its host, or of the host that is alone. */
function intoRootPools(graph: ObjectGraph, folder: ManagedObject, host: unknown): Requirement[] {
  const named = refsOf(host).map((ref) => parentOf(graph, graph.get(ref)));
  const alone = () =>
    objectsAt(graph, datacenterOf(graph, folder), 'hostFolder').flatMap((hosts) =>
      objectsAt(graph, hosts, 'childEntity'),
    );
  const computes = named.length > 0 ? named : alone();
  return on('Resource.AssignVMToPool', ...computes.flatMap((compute) => objectsAt(graph, compute, 'resourcePool')));
}

/** The hosts that become members of a distributed switch, or cease to be: each gets a switch or loses it. */
function membersOf(graph: ObjectGraph, spec: unknown): Requirement[] {
  const { host: members = [] } = (spec ?? {}) as { host?: readonly { host: MoRef }[] };
  return members.flatMap(({ host }) => on('Host.Config.Network', graph.get(host)));
}

/**
 * A browser shows one datastore, or those of its host: a path names one of them, and another vCenter datastore of that name is
 * none of its business. `browser` itself where there is none of that name.
 */
function browse(graph: ObjectGraph, browser: ManagedObject, path: unknown): Requirement[] {
  const privilege = 'Datastore.Browse';
  if (browser.entity?.type === 'Datastore') return [{ object: browser, privilege }];
  const named = datastoresNamed(
    objectsAt(graph, browser.entity && graph.find(browser.entity), 'datastore'),
    String(path),
  );
  return on(privilege, ...(named.length > 0 ? named : [browser]));
}
