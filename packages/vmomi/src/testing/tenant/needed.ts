// For tests: what a call needs, after VMware's tables "Defined Privileges" and "Required Privileges for Common Tasks". Written
// apart from the product's own table, to be compared with it.
import { type MoRef, schema } from '@vivarium/vim';
import {
  type Args,
  datacenterOf,
  datastoreNamed,
  type Need,
  need,
  onDatastore,
  parent,
  placeOf,
  poolAround,
  read,
  refsIn,
} from './need.ts';
import { deviceChanges, deviceRight, devices, newVm, present } from './needed-for-devices.ts';
import { destroyed, inside } from './needed-to-destroy.ts';
import type { World } from './world.ts';

/** What `method` of `target` needs, called with these arguments. */
export function needed(world: World, target: MoRef, method: string, args: Args): Need[] {
  const info = schema.method(target.type, method);
  if (!info) throw new Error(`${target.type} has no method ${method}`);
  const place = placeOf(world, target);
  const byArgument = info.params.flatMap(({ name, privilege }) =>
    privilege === undefined ? [] : need(privilege, ...refsIn(args[name])),
  );
  const declared = info.privilege === undefined ? [] : need(info.privilege, place);
  const special = SPECIAL[method]?.(world, target, args);
  const isByArgument = info.params.some(({ privilege }) => privilege !== undefined);
  const isOpen = info.privilege !== undefined || special !== undefined || isByArgument;
  return [...declared, ...byArgument, ...(special ?? []), ...(isOpen ? [] : need('Global.Settings', place))];
}

const ROLE_ADMIN = -1;

const RENAME: Readonly<Record<string, string>> = {
  VirtualMachine: 'VirtualMachine.Config.Rename',
  VirtualApp: 'VApp.Rename',
  Folder: 'Folder.Rename',
  StoragePod: 'Folder.Rename',
  Datacenter: 'Datacenter.Rename',
  Datastore: 'Datastore.Rename',
  DistributedVirtualPortgroup: 'DVPortgroup.Modify',
  VmwareDistributedVirtualSwitch: 'DVSwitch.Modify',
  Network: 'Network.Config',
  ResourcePool: 'Resource.RenamePool',
  ClusterComputeResource: 'Host.Inventory.RenameCluster',
  ComputeResource: 'Host.Inventory.RenameCluster',
};

const MOVE: Readonly<Record<string, string>> = {
  VirtualMachine: 'VirtualMachine.Inventory.Move',
  VirtualApp: 'VApp.Move',
  Folder: 'Folder.Move',
  StoragePod: 'Folder.Move',
  Datacenter: 'Datacenter.Move',
  Datastore: 'Datastore.Move',
  Network: 'Network.Move',
  DistributedVirtualPortgroup: 'Network.Move',
  VmwareDistributedVirtualSwitch: 'DVSwitch.Move',
  ClusterComputeResource: 'Host.Inventory.MoveCluster',
  ComputeResource: 'Host.Inventory.MoveCluster',
};

const SPECIAL: Readonly<Record<string, (world: World, target: MoRef, args: Args) => Need[]>> = {
  Destroy_Task: destroyed,
  DestroyDatastore: (world, target) => need('Datastore.Delete', parent(world, target)),
  DestroyNetwork: (world, target) => need('Network.Delete', parent(world, target)),
  UnregisterVM: (world, target) => need('VirtualMachine.Inventory.Unregister', parent(world, target)),
  Rename_Task: (_world, target) => need(RENAME[target.type] ?? 'Global.Settings', target),
  MoveIntoFolder_Task: (world, target, { list }) => [
    ...need('System.Read', target),
    ...refsIn(list).flatMap((ref) => {
      const moved = ref.type === 'HostSystem' ? parent(world, ref) : ref;
      const privilege = MOVE[moved?.type ?? ''] ?? 'Global.Settings';
      return moved ? need(privilege, moved, parent(world, moved), target) : [];
    }),
  ],
  MoveIntoResourcePool: (world, target, { list }) => [
    ...need('System.Read', target),
    ...refsIn(list).flatMap((ref) =>
      ref.type === 'VirtualMachine'
        ? need('Resource.AssignVMToPool', ref, target)
        : need('Resource.MovePool', ref, poolAround(world, ref), target),
    ),
  ],
  UpdateConfig: (world, target) => need('Resource.EditPool', target, poolAround(world, target)),
  UpdateChildResourceConfiguration: (world, target, { spec }) => [
    ...need('System.Read', target),
    ...(spec as { entity: MoRef }[]).flatMap(({ entity }) =>
      entity.type === 'VirtualMachine'
        ? need('VirtualMachine.Config.Resource', entity)
        : need('Resource.EditPool', entity, poolAround(world, entity)),
    ),
  ],
  DestroyChildren: (world, target) =>
    read<MoRef[]>(world, target, 'resourcePool', [])
      .filter(({ type }) => type === 'ResourcePool')
      .flatMap((child) => [...destroyed(world, child), ...(SPECIAL['DestroyChildren']?.(world, child, {}) ?? [])])
      .concat(need('Resource.DeletePool', target)),
  setCustomValue: (world, target) => need('Global.SetCustomField', placeOf(world, target)),
  UpdateOptions: (world, target) => {
    const place = placeOf(world, target);
    return need(place.type === 'HostSystem' ? 'Host.Config.AdvancedConfig' : 'Global.Settings', place);
  },
  AcquireTicket: (_world, target, { ticketType }) =>
    need(TICKETS[String(ticketType)] ?? 'VirtualMachine.Interact.ConsoleInteract', target),
  UpdateNetworkConfig: (world, target) => need('Host.Config.Network', placeOf(world, target)),
  ReconfigureDvs_Task: (_world, target, { spec }) => [
    ...need('DVSwitch.Modify', target),
    ...members(spec).flatMap((host) => [...need('DVSwitch.HostOp', target), ...need('Host.Config.Network', host)]),
  ],
  CreateDVS_Task: (_world, _target, { spec }) =>
    members((spec as { configSpec?: unknown }).configSpec).flatMap((host) => need('Host.Config.Network', host)),
  ReconfigureDVPortgroup_Task: (_world, target) => need('DVPortgroup.Modify', target),
  CreateVM_Task: (world, target, { config, host }) => [
    ...need('System.View', ...refsIn(host)),
    ...newVm(world, target, config as object),
  ],
  RegisterVM_Task: (world, target, { path, pool, host }) => {
    const [named] = refsIn(host);
    const hostFolder = read<MoRef | undefined>(world, datacenterOf(world, target) ?? target, 'hostFolder', undefined);
    const alone = hostFolder ? read<MoRef[]>(world, hostFolder, 'childEntity', []) : [];
    const computes = named ? refsIn(parent(world, named)) : alone;
    const into = computes.map((compute) => read<MoRef | undefined>(world, compute, 'resourcePool', undefined));
    return [
      ...need('System.View', named),
      ...(pool ? [] : need('Resource.AssignVMToPool', ...into)),
      ...onDatastore(world, target, 'Datastore.Browse', String(path)),
    ];
  },
  ReconfigVM_Task: (world, target, { spec }) => [
    ...Object.entries(spec as object).flatMap(([name, value]) =>
      value === undefined || name === '_typeName' || name === 'deviceChange'
        ? []
        : need(`VirtualMachine.Config.${CONFIG[name] ?? 'Settings'}`, target),
    ),
    ...deviceChanges(spec).flatMap((change) => need(`VirtualMachine.Config.${deviceRight(change)}`, target)),
    ...devices(world, target, spec, present(world, target)),
    ...(Object.keys(spec as object).length <= 1 ? need('System.Read', target) : []),
  ],
  AttachDisk_Task: (_world, _target, { datastore }) => need('Datastore.Browse', ...refsIn(datastore)),
  ImportVApp: (world, target, { spec, folder, host }) => {
    const { configSpec = {} } = spec as { configSpec?: object };
    const datacenter = datacenterOf(world, target);
    const byDefault = datacenter && read<MoRef | undefined>(world, datacenter, 'vmFolder', undefined);
    let around: MoRef | undefined = target;
    while (around && around.type !== 'VirtualApp') around = poolAround(world, around);
    return [
      ...need('System.View', ...refsIn(host)),
      ...(folder || around ? [] : need('VApp.Import', byDefault)),
      ...newVm(world, target, configSpec),
    ];
  },
  CreateChildVM_Task: (world, target, { config, host }) => [
    ...need('System.View', ...refsIn(host)),
    ...newVm(world, target, config as object),
  ],
  RegisterChildVM_Task: (world, target, { path, host }) => [
    ...need('System.View', ...refsIn(host)),
    ...onDatastore(world, target, 'Datastore.Browse', String(path)),
  ],
  CreateVApp: (world, target, { vmFolder }) => {
    if (target.type === 'VirtualApp') return [];
    const datacenter = datacenterOf(world, target);
    const byDefault = datacenter && read<MoRef | undefined>(world, datacenter, 'vmFolder', undefined);
    return need('VApp.Create', ...(vmFolder ? refsIn(vmFolder) : [byDefault]));
  },
  unregisterVApp_Task: (world, target) => {
    const within = inside(world, target);
    const ofType = (type: string) => within.filter((ref) => ref.type === type);
    return [
      ...need('VApp.Unregister', parent(world, target), ...ofType('VirtualApp')),
      ...need('VirtualMachine.Inventory.Unregister', ...ofType('VirtualMachine')),
      ...need('Resource.DeletePool', ...ofType('ResourcePool')),
    ];
  },
  UpdateVAppConfig: (_world, target) => need('VApp.ApplicationConfig', target),
  AddVirtualNic: configuresNetwork,
  UpdateVirtualNic: configuresNetwork,
  AddServiceConsoleVirtualNic: configuresNetwork,
  UpdateServiceConsoleVirtualNic: configuresNetwork,
  ApplyRecommendation: (_world, target) => need('Resource.ApplyRecommendation', target),
  MigrateVM_Task: (world, target) =>
    need(
      read<string>(world, target, 'runtime.powerState', '') === 'poweredOff'
        ? 'Resource.ColdMigrate'
        : 'Resource.HotMigrate',
      target,
    ),
  CloneVM_Task: (_world, target) => need('VirtualMachine.Provisioning.Clone', target),
  QueryCompatibleHostForNewDvs: (_world, _target, { container }) => need('System.View', ...refsIn(container)),
  QueryCompatibleHostForExistingDvs: (_world, _target, { container, dvs }) => [
    ...need('System.View', ...refsIn(container)),
    ...need('System.Read', ...refsIn(dvs)),
  ],
  FindByUuid: within,
  FindAllByUuid: within,
  FindByIp: within,
  FindAllByIp: within,
  FindByDnsName: within,
  FindAllByDnsName: within,
  FindByDatastorePath: within,
  QueryPerfProviderSummary: (_world, _target, { entity }) => need('System.Read', ...refsIn(entity)),
  QueryAvailablePerfMetric: (_world, _target, { entity }) => need('System.Read', ...refsIn(entity)),
  QueryPerf: (_world, _target, { querySpec }) =>
    (querySpec as { entity: MoRef }[]).flatMap(({ entity }) => need('System.Read', entity)),
  QueryPerfComposite: (_world, _target, { querySpec }) => need('System.Read', (querySpec as { entity: MoRef }).entity),
  DisableMethods: (_world, _target, { entity }) => need('Global.DisableMethods', ...refsIn(entity)),
  EnableMethods: (_world, _target, { entity }) => need('Global.EnableMethods', ...refsIn(entity)),
  // Whoever holds its key may do everything.
  SetExtensionCertificate: (world) =>
    [...world.service.authorization.role(ROLE_ADMIN).privileges].flatMap((privilege) => need(privilege, world.root)),
  RetrieveUserGroups: (world) => need('System.View', world.root),
  SearchDatastore_Task: browsed,
  SearchDatastoreSubFolders_Task: browsed,
  // Before the paths are looked at.
  ChangeOwner: (world) => need('System.View', world.root),
  DeleteDatastoreFile_Task: (world) => need('System.View', world.root),
  MakeDirectory: (world) => need('System.View', world.root),
  MoveDatastoreFile_Task: (world) => need('System.View', world.root),
  CopyDatastoreFile_Task: (world) => need('System.View', world.root),
};

const TICKETS: Readonly<Record<string, string>> = {
  device: 'VirtualMachine.Interact.DeviceConnection',
  guestControl: 'VirtualMachine.Interact.GuestControl',
  guestIntegrity: 'VirtualMachine.Interact.GuestControl',
};

const CONFIG: Readonly<Record<string, string>> = {
  name: 'Rename',
  annotation: 'Annotation',
  numCPUs: 'CPUCount',
  memoryMB: 'Memory',
  memoryAllocation: 'Resource',
  extraConfig: 'AdvancedConfig',
};

function configuresNetwork(world: World, target: MoRef): Need[] {
  return need('Host.Config.Network', placeOf(world, target));
}

function within(_world: World, _target: MoRef, { datacenter }: Args): Need[] {
  return need('System.View', ...refsIn(datacenter));
}

function browsed(world: World, browser: MoRef, { datastorePath }: Args): Need[] {
  const place = placeOf(world, browser);
  if (place.type === 'Datastore') return need('Datastore.Browse', place);
  const own = read<MoRef[]>(world, place, 'datastore', []);
  return need('Datastore.Browse', datastoreNamed(world, own, String(datastorePath)) ?? place);
}

function members(spec: unknown): MoRef[] {
  return ((spec as { host?: { host: MoRef }[] } | undefined)?.host ?? []).map(({ host }) => host);
}
