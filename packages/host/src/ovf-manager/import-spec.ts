// An OVF system in vSphere's words: the specification of a VM and the files that the client has to send for it. Pure.
import {
  type LocalizedMethodFault,
  MethodFault,
  make,
  type OvfFileItem,
  toLocalizedMethodFault,
  type VirtualController,
  type VirtualDevice,
  type VirtualEthernetCard,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { type OvfEnvelope, type OvfItem, type OvfSystem, unitBytes } from './ovf-envelope.ts';

export interface ImportParams {
  /** Empty: the product's name, else the system's id. */
  readonly entityName: string;
  /** Name of the datastore that the VM is to lie on. */
  readonly datastore: string;
  /** OvfCreateImportSpecParams.diskProvisioning. */
  readonly diskProvisioning: string | undefined;
  /** The host's network for a network of the descriptor. */
  network(name: string): string | undefined;
}

export interface PlannedImport {
  readonly configSpec: VirtualMachineConfigSpec;
  readonly fileItems: readonly OvfFileItem[];
  readonly warnings: readonly LocalizedMethodFault[];
}

/** CIM resource types. */
const CIM = {
  other: 1,
  cpu: 3,
  memory: 4,
  ide: 5,
  scsi: 6,
  ethernet: 10,
  cdrom: 15,
  dvd: 16,
  disk: 17,
  storage: 20,
} as const;
/** Things that every VM has anyway, or can do without: USB, graphics, sound, VMCI … */
const IGNORED: readonly number[] = [CIM.other, 23, 24, 35];
const FLOPPY = 14;

const controllerTypes: Readonly<Record<string, string | undefined>> = {
  lsilogic: 'VirtualLsiLogicController',
  buslogic: 'VirtualBusLogicController',
  lsilogicsas: 'VirtualLsiLogicSASController',
  virtualscsi: 'ParaVirtualSCSIController',
  'vmware.sata.ahci': 'VirtualAHCIController',
  ahci: 'VirtualAHCIController',
  'vmware.nvme.controller': 'VirtualNVMEController',
};

const adapterTypes: Readonly<Record<string, string | undefined>> = {
  e1000: 'VirtualE1000',
  e1000e: 'VirtualE1000e',
  pcnet32: 'VirtualPCNet32',
  vmxnet3: 'VirtualVmxnet3',
  vmxnet: 'VirtualVmxnet3',
  vmxnet2: 'VirtualVmxnet3',
};

const provisionings: Readonly<Record<string, { readonly thin: boolean; readonly eager: boolean } | undefined>> = {
  thin: { thin: true, eager: false },
  sparse: { thin: true, eager: false },
  monolithicSparse: { thin: true, eager: false },
  thick: { thin: false, eager: false },
  flat: { thin: false, eager: false },
  monolithicFlat: { thin: false, eager: false },
  eagerZeroedThick: { thin: false, eager: true },
};

interface Controller {
  readonly key: number;
  readonly type: string;
  readonly bus: number;
}

interface Draft {
  readonly envelope: OvfEnvelope;
  readonly params: ImportParams;
  readonly entityName: string;
  readonly devices: VirtualDevice[];
  readonly controllers: Map<string, Controller>;
  readonly fileItems: OvfFileItem[];
  readonly warnings: LocalizedMethodFault[];
  nextKey: number;
}

/** Throws OvfUnsupportedType, OvfUnsupportedSubType, OvfUnsupportedDiskProvisioning, OvfElementInvalidValue … for what cannot be. */
export function planImport(envelope: OvfEnvelope, system: OvfSystem, params: ImportParams): PlannedImport {
  const entityName = params.entityName || system.productName || system.id;
  const draft: Draft = {
    envelope,
    params,
    entityName,
    devices: [],
    controllers: new Map(),
    fileItems: [],
    warnings: [],
    nextKey: -1,
  };
  const isController = ({ resourceType }: OvfItem) => [CIM.ide, CIM.scsi, CIM.storage].includes(resourceType as 5);
  for (const item of system.items.filter(isController)) addController(draft, item);
  for (const item of system.items.filter((candidate) => !isController(candidate))) addItem(draft, item);
  const cpu = system.items.find(({ resourceType }) => resourceType === CIM.cpu);
  const memory = system.items.find(({ resourceType }) => resourceType === CIM.memory);
  const configSpec = make('VirtualMachineConfigSpec', {
    name: entityName,
    version: /^vmx-\d+$/.test(system.family ?? '') ? system.family : undefined,
    guestId: system.osType ?? 'otherGuest64',
    annotation: system.annotation,
    files: make('VirtualMachineFileInfo', { vmPathName: `[${params.datastore}]` }),
    numCPUs: cpu?.quantity ?? 1,
    numCoresPerSocket: cpu?.coresPerSocket,
    memoryMB: memory ? memoryMB(memory) : 512,
    deviceChange: draft.devices.map((device) =>
      make('VirtualDeviceConfigSpec', {
        operation: 'add',
        fileOperation: device._typeName === 'VirtualDisk' ? 'create' : undefined,
        device,
      }),
    ),
  });
  return { configSpec, fileItems: draft.fileItems, warnings: draft.warnings };
}

/** How a disk is named between the specification, the files to send and the URLs to send them to. */
export function deviceId(entityName: string, controllerType: string, bus: number, unit: number): string {
  return `/${entityName}/${controllerType}${bus}:${unit}`;
}

function addController(draft: Draft, item: OvfItem): void {
  const subType = (item.subType ?? '').split(/\s+/)[0]?.toLowerCase() ?? '';
  const type = item.resourceType === CIM.ide ? 'VirtualIDEController' : controllerTypes[subType || 'lsilogic'];
  if (!type) {
    throw new MethodFault('OvfUnsupportedSubType', {
      lineNumber: item.line,
      elementName: item.elementName,
      instanceId: item.instanceId,
      deviceType: item.resourceType,
      deviceSubType: item.subType ?? '',
    });
  }
  const taken = Array.from(draft.controllers.values(), ({ type: other }) => family(other));
  const bus = taken.filter((other) => other === family(type)).length;
  const controller = { key: draft.nextKey--, type, bus };
  draft.controllers.set(item.instanceId, controller);
  const isScsi = item.resourceType === CIM.scsi;
  const shared = isScsi ? { sharedBus: 'noSharing' } : {};
  const device: VirtualController = { _typeName: type, key: controller.key, busNumber: bus, ...shared };
  draft.devices.push(device);
}

function addItem(draft: Draft, item: OvfItem): void {
  switch (item.resourceType) {
    case CIM.cpu:
    case CIM.memory:
      return;
    case CIM.disk:
      addDisk(draft, item);
      return;
    case CIM.ethernet:
      addAdapter(draft, item);
      return;
    case CIM.cdrom:
    case CIM.dvd:
      addCdrom(draft, item);
      return;
    default: {
      if (IGNORED.includes(item.resourceType)) return;
      const { line: lineNumber, elementName: name, instanceId, resourceType: deviceType } = item;
      const fault = new MethodFault('OvfUnsupportedType', { lineNumber, name, instanceId, deviceType });
      if (item.isRequired && item.resourceType !== FLOPPY) throw fault;
      draft.warnings.push(toLocalizedMethodFault(fault));
    }
  }
}

function addDisk(draft: Draft, item: OvfItem): void {
  const controller = draft.controllers.get(item.parent ?? '');
  const disk = draft.envelope.disks.get(/^(?:ovf:)?\/?disk\/(.+)$/.exec(item.hostResource ?? '')?.[1] ?? '');
  if (!controller) throw invalidElement(item, 'Parent', item.parent);
  if (!disk) throw invalidElement(item, 'HostResource', item.hostResource);
  const { diskProvisioning = 'thin' } = draft.params;
  const kind = provisionings[diskProvisioning];
  if (!kind) {
    const supportedDiskProvisioning = Object.keys(provisionings).join(', ');
    throw new MethodFault('OvfUnsupportedDiskProvisioning', { diskProvisioning, supportedDiskProvisioning });
  }
  const unit = item.addressOnParent ?? 0;
  draft.devices.push(
    make('VirtualDisk', {
      key: draft.nextKey--,
      controllerKey: controller.key,
      unitNumber: unit,
      capacityInKB: Math.ceil(disk.capacityBytes / 1024),
      capacityInBytes: disk.capacityBytes,
      backing: make('VirtualDiskFlatVer2BackingInfo', {
        fileName: '',
        diskMode: 'persistent',
        thinProvisioned: kind.thin,
        eagerlyScrub: kind.eager,
      }),
    }),
  );
  if (disk.fileRef === undefined) return;
  const file = draft.envelope.files.get(disk.fileRef);
  if (!file) throw invalidElement(item, 'fileRef', disk.fileRef);
  draft.fileItems.push(
    make('OvfFileItem', {
      deviceId: deviceId(draft.entityName, controller.type, controller.bus, unit),
      path: file.href,
      compressionMethod: file.compression,
      chunkSize: file.chunkSizeBytes,
      size: file.sizeBytes,
      cimType: CIM.disk,
      create: false,
    }),
  );
}

function addAdapter(draft: Draft, item: OvfItem): void {
  const subType = (item.subType ?? 'E1000').split(/\s+/)[0]?.toLowerCase() ?? '';
  const type = adapterTypes[subType] ?? 'VirtualE1000';
  const network = draft.params.network(item.connection ?? '');
  if (network === undefined) throw invalidElement(item, 'Connection', item.connection);
  const adapter: VirtualEthernetCard = {
    _typeName: type,
    key: draft.nextKey--,
    addressType: 'generated',
    connectable: make('VirtualDeviceConnectInfo', { startConnected: true, allowGuestControl: true, connected: true }),
    backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName: network }),
  };
  draft.devices.push(adapter);
}

function addCdrom(draft: Draft, item: OvfItem): void {
  const controller = draft.controllers.get(item.parent ?? '');
  if (!controller) throw invalidElement(item, 'Parent', item.parent);
  draft.devices.push(
    make('VirtualCdrom', {
      key: draft.nextKey--,
      controllerKey: controller.key,
      unitNumber: item.addressOnParent ?? 0,
      connectable: make('VirtualDeviceConnectInfo', {
        startConnected: false,
        allowGuestControl: true,
        connected: false,
      }),
      backing: make('VirtualCdromRemotePassthroughBackingInfo', { deviceName: '', exclusive: false }),
    }),
  );
  if (!item.hostResource) return;
  const fault = new MethodFault('OvfUnsupportedDeviceBackingInfo', {
    elementName: item.elementName,
    instanceId: item.instanceId,
    deviceName: item.elementName,
    backingName: item.hostResource,
  });
  draft.warnings.push(toLocalizedMethodFault(fault)); // the tray is empty; the image is not asked for
}

function memoryMB(item: OvfItem): number {
  const unit = unitBytes(item.units ?? 'byte * 2^20');
  if (unit === undefined) throw invalidElement(item, 'AllocationUnits', item.units);
  return Math.ceil(((item.quantity ?? 512) * unit) / 2 ** 20);
}

// Bus numbers are counted for IDE, SCSI, SATA and NVMe apart.
function family(type: string): string {
  if (type === 'VirtualIDEController' || type === 'VirtualAHCIController' || type === 'VirtualNVMEController')
    return type;
  return 'scsi';
}

function invalidElement({ line }: OvfItem, name: string, value = ''): MethodFault {
  return new MethodFault('OvfElementInvalidValue', { lineNumber: line, name, value: value.slice(0, 80) });
}
