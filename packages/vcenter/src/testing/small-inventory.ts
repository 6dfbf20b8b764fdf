// For tests: a small vCenter inventory whose objects were put into the graph by hand, and VMs that change their state as
// the real ones do, in tasks.
//
//   group-d1 ─ datacenter-2 'DC0' ─ vm: VMs vm-31 'web', vm-32 'db' (off), vm-33 'golden' (a template), folder 'prod' with vm-34
//            │                    ├ host: cluster domain-c7 'C0' with host-8, host-9; domain-s17 with host-18
//            │                    ├ datastore: datastore-12;  network: network-13, dvportgroup-14
//            └ datacenter-40 'DC1' with empty folders
import { MethodFault, type MoRef, make, moRef } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';

export const ROOT = moRef('Folder', 'group-d1');
export const DATACENTER = moRef('Datacenter', 'datacenter-2');
export const OTHER_DATACENTER = moRef('Datacenter', 'datacenter-40');
export const VM_FOLDER = moRef('Folder', 'group-v3');
export const PROD_FOLDER = moRef('Folder', 'group-v30');
export const HOST_FOLDER = moRef('Folder', 'group-h4');
export const DATASTORE_FOLDER = moRef('Folder', 'group-s5');
export const NETWORK_FOLDER = moRef('Folder', 'group-n6');
export const CLUSTER = moRef('ClusterComputeResource', 'domain-c7');
export const STANDALONE = moRef('ComputeResource', 'domain-s17');
export const HOST = moRef('HostSystem', 'host-8');
export const OTHER_HOST = moRef('HostSystem', 'host-9');
export const STANDALONE_HOST = moRef('HostSystem', 'host-18');
export const POOL = moRef('ResourcePool', 'resgroup-10');
export const CHILD_POOL = moRef('ResourcePool', 'resgroup-11');
export const STANDALONE_POOL = moRef('ResourcePool', 'resgroup-19');
export const DATASTORE = moRef('Datastore', 'datastore-12');
export const NETWORK = moRef('Network', 'network-13');
export const PORTGROUP = moRef('DistributedVirtualPortgroup', 'dvportgroup-14');
export const WEB = moRef('VirtualMachine', 'vm-31');
export const DB = moRef('VirtualMachine', 'vm-32');
export const TEMPLATE = moRef('VirtualMachine', 'vm-33');
export const PROD_VM = moRef('VirtualMachine', 'vm-34');

export function addSmallInventory(service: Service): void {
  const { graph } = service;
  graph.add<'Folder'>(ROOT, {
    name: 'Datacenters',
    childEntity: [DATACENTER, OTHER_DATACENTER],
    childType: ['Folder', 'Datacenter'],
  });
  addDatacenter(service, DATACENTER, 'DC0', [VM_FOLDER, HOST_FOLDER, DATASTORE_FOLDER, NETWORK_FOLDER]);
  addDatacenter(service, OTHER_DATACENTER, 'DC1', [
    moRef('Folder', 'group-v41'),
    moRef('Folder', 'group-h42'),
    moRef('Folder', 'group-s43'),
    moRef('Folder', 'group-n44'),
  ]);
  graph.add<'Folder'>(PROD_FOLDER, {
    name: 'prod',
    parent: VM_FOLDER,
    childEntity: [PROD_VM],
    childType: ['Folder', 'VirtualMachine', 'VirtualApp'],
  });
  addCompute(service);
  graph.add<'Datastore'>(DATASTORE, {
    name: 'LocalDS_0',
    parent: DATASTORE_FOLDER,
    summary: {
      type: 'VMFS',
      capacity: 1 << 30,
      freeSpace: 1 << 29,
      accessible: true,
      multipleHostAccess: false,
    } as never,
    capability: { perFileThinProvisioningSupported: true } as never,
  });
  graph.add<'Network'>(NETWORK, { name: 'VM Network', parent: NETWORK_FOLDER });
  graph.add<'DistributedVirtualPortgroup'>(PORTGROUP, { name: 'DC0_DVPG0', parent: NETWORK_FOLDER });
  addVm(service, WEB, 'web', { state: 'poweredOn' });
  addVm(service, DB, 'db', { host: OTHER_HOST, pool: CHILD_POOL });
  addVm(service, TEMPLATE, 'golden', { isTemplate: true });
  addVm(service, PROD_VM, 'web', { parent: PROD_FOLDER });
}

type FourFolders = readonly [MoRef<'Folder'>, MoRef<'Folder'>, MoRef<'Folder'>, MoRef<'Folder'>];

function addDatacenter({ graph }: Service, ref: MoRef<'Datacenter'>, name: string, folders: FourFolders): void {
  const [vmFolder, hostFolder, datastoreFolder, networkFolder] = folders;
  graph.add<'Datacenter'>(ref, { name, parent: ROOT, vmFolder, hostFolder, datastoreFolder, networkFolder });
  const types = [
    ['vm', ['Folder', 'VirtualMachine', 'VirtualApp']],
    ['host', ['Folder', 'ComputeResource']],
    ['datastore', ['Folder', 'Datastore', 'StoragePod']],
    ['network', ['Folder', 'Network', 'DistributedVirtualSwitch']],
  ] as const;
  for (const [index, [folderName, childType]] of types.entries()) {
    const folder = folders[index];
    if (folder) graph.add<'Folder'>(folder, { name: folderName, parent: ref, childType: [...childType] });
  }
}

function addCompute({ graph }: Service): void {
  graph.add<'ClusterComputeResource'>(CLUSTER, {
    name: 'C0',
    parent: HOST_FOLDER,
    resourcePool: POOL,
    host: [HOST, OTHER_HOST],
    configurationEx: { dasConfig: { enabled: true }, drsConfig: { enabled: false } } as never,
  });
  graph.add<'ComputeResource'>(STANDALONE, {
    name: 'esx3',
    parent: HOST_FOLDER,
    resourcePool: STANDALONE_POOL,
    host: [STANDALONE_HOST],
  });
  for (const [ref, name, parent] of [
    [HOST, 'esx1', CLUSTER],
    [OTHER_HOST, 'esx2', CLUSTER],
    [STANDALONE_HOST, 'esx3', STANDALONE],
  ] as const) {
    graph.add<'HostSystem'>(ref, {
      name,
      parent,
      runtime: { connectionState: 'connected', powerState: 'poweredOn', inMaintenanceMode: false } as never,
    });
  }
  const allocation = {
    cpuAllocation: {
      reservation: 0,
      expandableReservation: true,
      limit: -1,
      shares: { level: 'normal', shares: 4000 },
    },
    memoryAllocation: {
      reservation: 512,
      expandableReservation: false,
      limit: 1024,
      shares: { level: 'custom', shares: 7 },
    },
  };
  for (const [ref, name, parent, owner, resourcePool] of [
    [POOL, 'Resources', CLUSTER, CLUSTER, [CHILD_POOL]],
    [CHILD_POOL, 'RP1', POOL, CLUSTER, []],
    [STANDALONE_POOL, 'Resources', STANDALONE, STANDALONE, []],
  ] as const) {
    graph.add<'ResourcePool'>(ref, {
      name,
      parent,
      owner,
      resourcePool: [...resourcePool],
      config: allocation as never,
    });
  }
}

interface VmWishes {
  readonly state?: 'poweredOn' | 'poweredOff';
  readonly host?: MoRef<'HostSystem'>;
  readonly pool?: MoRef<'ResourcePool'>;
  readonly parent?: MoRef<'Folder'>;
  readonly isTemplate?: boolean;
}

export function addVm(service: Service, ref: MoRef<'VirtualMachine'>, name: string, wishes: VmWishes = {}): void {
  const { state = 'poweredOff', host = HOST, pool = POOL, parent = VM_FOLDER, isTemplate = false } = wishes;
  const vm = service.graph.add<'VirtualMachine'>(
    ref,
    {
      name,
      parent,
      resourcePool: pool,
      runtime: { powerState: state, host, connectionState: 'connected' } as never,
      config: configOf(name, isTemplate) as never,
      summary: { config: { name, numCpu: 2, memorySizeMB: 512, template: isTemplate } } as never,
      guest: guestOf(state) as never,
    },
    {
      PowerOnVM_Task: (_args, call) => change(call, 'powerOn', 'poweredOn', ['poweredOff', 'suspended']),
      PowerOffVM_Task: (_args, call) => change(call, 'powerOff', 'poweredOff', ['poweredOn', 'suspended']),
      SuspendVM_Task: (_args, call) => change(call, 'suspend', 'suspended', ['poweredOn']),
      ResetVM_Task: (_args, call) => change(call, 'reset', 'poweredOn', ['poweredOn']),
      ShutdownGuest() {
        if (vm.getPath('guest.guestState') !== 'running') throw new MethodFault('ToolsUnavailable');
        vm.update({ 'runtime.powerState': 'poweredOff', guest: guestOf('poweredOff') });
      },
      Destroy_Task: (_args, call) =>
        service.tasks.start({ entity: ref, descriptionId: 'VirtualMachine.destroy', call }, async () => {
          requireState('poweredOff', ['poweredOff']);
          service.graph.remove(ref);
        }),
    },
  );

  function requireState(requestedState: string, from: readonly string[]): void {
    const existingState = String(vm.getPath('runtime.powerState'));
    if (from.includes(existingState)) return;
    throw new MethodFault('InvalidPowerState', { requestedState, existingState } as never);
  }

  function change(call: Call, operation: string, to: string, from: readonly string[]): MoRef<'Task'> {
    return service.tasks.start({ entity: ref, descriptionId: `VirtualMachine.${operation}`, call }, async () => {
      requireState(to, from);
      vm.update({ 'runtime.powerState': to, guest: guestOf(to) });
    });
  }
}

function guestOf(state: string) {
  if (state !== 'poweredOn') return { guestState: 'notRunning', toolsRunningStatus: 'guestToolsNotRunning' };
  return {
    guestState: 'running',
    toolsRunningStatus: 'guestToolsRunning',
    toolsVersionStatus2: 'guestToolsUnmanaged',
    guestOperationsReady: true,
    guestId: 'debian12_64Guest',
    guestFamily: 'linuxGuest',
    guestFullName: 'Debian GNU/Linux 12 (64-bit)',
    hostName: 'web',
    ipAddress: '192.0.2.10',
  };
}

function configOf(name: string, template: boolean) {
  return {
    name,
    template,
    guestId: 'debian12_64Guest',
    guestFullName: 'Debian GNU/Linux 12 (64-bit)',
    version: 'vmx-21',
    uuid: '564d0000-0000-4000-8000-000000000001',
    instanceUuid: '502d0000-0000-4000-8000-000000000001',
    firmware: 'efi',
    cpuHotAddEnabled: true,
    cpuHotRemoveEnabled: false,
    memoryHotAddEnabled: false,
    bootOptions: { bootDelay: 0, enterBIOSSetup: false, bootRetryEnabled: false, bootRetryDelay: 10_000 },
    hardware: { numCPU: 2, numCoresPerSocket: 1, memoryMB: 512, device: devices(name) },
  };
}

function devices(name: string) {
  const connectable = { startConnected: true, allowGuestControl: true, connected: true, status: 'ok' };
  const info = (label: string) => make('Description', { label, summary: label });
  return [
    { _typeName: 'VirtualIDEController', key: 200, busNumber: 0, deviceInfo: info('IDE 0') },
    {
      _typeName: 'ParaVirtualSCSIController',
      key: 1000,
      busNumber: 0,
      deviceInfo: info('SCSI controller 0'),
      sharedBus: 'noSharing',
      scsiCtlrUnitNumber: 7,
      slotInfo: { _typeName: 'VirtualDevicePciBusSlotInfo', pciSlotNumber: 160 },
    },
    { _typeName: 'VirtualAHCIController', key: 15_000, busNumber: 0, deviceInfo: info('SATA controller 0') },
    { _typeName: 'VirtualNVMEController', key: 31_000, busNumber: 0, deviceInfo: info('NVME controller 0') },
    {
      _typeName: 'VirtualDisk',
      key: 2000,
      controllerKey: 1000,
      unitNumber: 0,
      capacityInKB: 1_048_576,
      capacityInBytes: 1_073_741_824,
      deviceInfo: info('Hard disk 1'),
      backing: {
        _typeName: 'VirtualDiskFlatVer2BackingInfo',
        fileName: `[LocalDS_0] ${name}/${name}.vmdk`,
        diskMode: 'persistent',
      },
    },
    {
      _typeName: 'VirtualVmxnet3',
      key: 4000,
      unitNumber: 7,
      deviceInfo: info('Network adapter 1'),
      addressType: 'assigned',
      macAddress: '00:50:56:00:00:01',
      wakeOnLanEnabled: true,
      connectable,
      backing: { _typeName: 'VirtualEthernetCardNetworkBackingInfo', deviceName: 'VM Network', network: NETWORK },
    },
    {
      _typeName: 'VirtualCdrom',
      key: 3000,
      controllerKey: 200,
      unitNumber: 0,
      deviceInfo: info('CD/DVD drive 1'),
      connectable: { ...connectable, connected: false },
      backing: { _typeName: 'VirtualCdromIsoBackingInfo', fileName: '[LocalDS_0] a.iso' },
    },
    {
      _typeName: 'VirtualFloppy',
      key: 8000,
      deviceInfo: info('Floppy drive 1'),
      connectable,
      backing: { _typeName: 'VirtualFloppyRemoteDeviceBackingInfo', deviceName: '', useAutoDetect: false },
    },
    {
      _typeName: 'VirtualSerialPort',
      key: 9000,
      yieldOnPoll: true,
      deviceInfo: info('Serial port 1'),
      connectable,
      backing: { _typeName: 'VirtualSerialPortURIBackingInfo', serviceURI: 'telnet://:2001', direction: 'server' },
    },
  ];
}
