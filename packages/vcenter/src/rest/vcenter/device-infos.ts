// A VM's devices as the Automation API tells of them: vim25's devices by kind, each under its key. Pure.
import {
  isA,
  type VirtualController,
  type VirtualDevice,
  type VirtualDeviceConnectInfo,
  type VirtualDevicePciBusSlotInfo,
} from '@vivarium/vim';
import type { TypeOf } from '../shape.ts';
import type {
  cdromInfo,
  diskInfo,
  floppyInfo,
  nicInfo,
  nvmeAdapterInfo,
  parallelInfo,
  sataAdapterInfo,
  scsiAdapterInfo,
  serialInfo,
} from './vm-shapes.ts';

type Devices = readonly VirtualDevice[];
type InfoMap<S> = Readonly<Record<string, TypeOf<S>>>;

export function diskInfos(devices: Devices): InfoMap<typeof diskInfo> {
  return byKey(devices, (device): TypeOf<typeof diskInfo> | undefined => {
    if (!isA('VirtualDisk', device)) return undefined;
    const { backing } = device;
    return {
      label: labelOf(device),
      ...addressOf(devices, device),
      backing: {
        type: 'VMDK_FILE',
        ...(isA('VirtualDeviceFileBackingInfo', backing) ? { vmdk_file: backing.fileName } : {}),
      },
      capacity: device.capacityInBytes ?? device.capacityInKB * 1024,
    };
  });
}

const NICS = [
  ['VirtualVmxnet3', 'VMXNET3'],
  ['VirtualVmxnet2', 'VMXNET2'],
  ['VirtualVmxnet', 'VMXNET'],
  ['VirtualE1000e', 'E1000E'],
  ['VirtualE1000', 'E1000'],
  ['VirtualPCNet32', 'PCNET32'],
] as const;

const MAC_TYPES: Readonly<Record<string, 'MANUAL' | 'GENERATED' | 'ASSIGNED'>> = {
  generated: 'GENERATED',
  assigned: 'ASSIGNED',
};

export function nicInfos(devices: Devices): InfoMap<typeof nicInfo> {
  return byKey(devices, (device): TypeOf<typeof nicInfo> | undefined => {
    if (!isA('VirtualEthernetCard', device)) return undefined;
    const type = NICS.find(([name]) => isA(name, device))?.[1];
    if (!type) return undefined; // passthrough adapters: the API has no name for them
    const upt = isA('VirtualVmxnet3', device) ? device.uptCompatibilityEnabled : undefined;
    return {
      label: labelOf(device),
      type,
      upt_compatibility_enabled: upt,
      mac_type: MAC_TYPES[(device.addressType ?? '').toLowerCase()] ?? 'MANUAL',
      mac_address: device.macAddress,
      pci_slot_number: slotOf(device),
      wake_on_lan_enabled: device.wakeOnLanEnabled ?? false,
      backing: nicBacking(device.backing),
      ...connectionOf(device.connectable),
    };
  });
}

function nicBacking(backing: unknown): TypeOf<typeof nicInfo>['backing'] {
  if (isA('VirtualEthernetCardNetworkBackingInfo', backing))
    return { type: 'STANDARD_PORTGROUP', network: backing.network?.value, network_name: backing.deviceName };
  if (isA('VirtualEthernetCardDistributedVirtualPortBackingInfo', backing)) {
    const { switchUuid, portgroupKey, portKey, connectionCookie } = backing.port;
    return {
      type: 'DISTRIBUTED_PORTGROUP',
      network: portgroupKey,
      distributed_switch_uuid: switchUuid,
      distributed_port: portKey,
      connection_cookie: connectionCookie,
    };
  }
  if (isA('VirtualEthernetCardOpaqueNetworkBackingInfo', backing)) {
    return {
      type: 'OPAQUE_NETWORK',
      opaque_network_type: backing.opaqueNetworkType,
      opaque_network_id: backing.opaqueNetworkId,
    };
  }
  return { type: 'HOST_DEVICE', host_device: deviceName(backing) };
}

export function cdromInfos(devices: Devices): InfoMap<typeof cdromInfo> {
  return byKey(devices, (device): TypeOf<typeof cdromInfo> | undefined => {
    if (!isA('VirtualCdrom', device)) return undefined;
    const { type, ide, sata } = addressOf(devices, device);
    return {
      type: type === 'SATA' ? 'SATA' : 'IDE',
      label: labelOf(device),
      ...(sata ? { sata } : { ide: ide ?? { primary: true, master: true } }),
      backing: cdromBacking(device.backing),
      ...connectionOf(device.connectable),
    };
  });
}

function cdromBacking(backing: unknown): TypeOf<typeof cdromInfo>['backing'] {
  if (isA('VirtualCdromIsoBackingInfo', backing)) return { type: 'ISO_FILE', iso_file: backing.fileName };
  const isPassthrough =
    isA('VirtualCdromPassthroughBackingInfo', backing) || isA('VirtualCdromRemotePassthroughBackingInfo', backing);
  const device_access_type = isPassthrough ? 'PASSTHRU' : 'EMULATION';
  if (isA('VirtualDeviceRemoteDeviceBackingInfo', backing)) return { type: 'CLIENT_DEVICE', device_access_type };
  return {
    type: 'HOST_DEVICE',
    host_device: deviceName(backing),
    auto_detect: autoDetect(backing),
    device_access_type,
  };
}

export function floppyInfos(devices: Devices): InfoMap<typeof floppyInfo> {
  return byKey(devices, (device): TypeOf<typeof floppyInfo> | undefined => {
    if (!isA('VirtualFloppy', device)) return undefined;
    return { label: labelOf(device), backing: floppyBacking(device.backing), ...connectionOf(device.connectable) };
  });
}

function floppyBacking(backing: unknown): TypeOf<typeof floppyInfo>['backing'] {
  if (isA('VirtualFloppyImageBackingInfo', backing)) return { type: 'IMAGE_FILE', image_file: backing.fileName };
  if (isA('VirtualDeviceRemoteDeviceBackingInfo', backing)) return { type: 'CLIENT_DEVICE' };
  return { type: 'HOST_DEVICE', host_device: deviceName(backing), auto_detect: autoDetect(backing) };
}

export function parallelInfos(devices: Devices): InfoMap<typeof parallelInfo> {
  return byKey(devices, (device): TypeOf<typeof parallelInfo> | undefined => {
    if (!isA('VirtualParallelPort', device)) return undefined;
    const { backing } = device;
    return {
      label: labelOf(device),
      backing: isA('VirtualDeviceFileBackingInfo', backing)
        ? { type: 'FILE', file: backing.fileName }
        : { type: 'HOST_DEVICE', host_device: deviceName(backing), auto_detect: autoDetect(backing) },
      ...connectionOf(device.connectable),
    };
  });
}

export function serialInfos(devices: Devices): InfoMap<typeof serialInfo> {
  return byKey(devices, (device): TypeOf<typeof serialInfo> | undefined => {
    if (!isA('VirtualSerialPort', device)) return undefined;
    return {
      label: labelOf(device),
      yield_on_poll: device.yieldOnPoll,
      backing: serialBacking(device.backing),
      ...connectionOf(device.connectable),
    };
  });
}

function serialBacking(backing: unknown): TypeOf<typeof serialInfo>['backing'] {
  if (isA('VirtualDeviceFileBackingInfo', backing)) return { type: 'FILE', file: backing.fileName };
  if (isA('VirtualDeviceURIBackingInfo', backing)) {
    const type = backing.direction === 'server' ? 'NETWORK_SERVER' : 'NETWORK_CLIENT';
    return { type, network_location: backing.serviceURI, proxy: backing.proxyURI };
  }
  if (isA('VirtualSerialPortPipeBackingInfo', backing)) {
    const type = backing.endpoint === 'server' ? 'PIPE_SERVER' : 'PIPE_CLIENT';
    return { type, pipe: backing.pipeName, no_rx_loss: backing.noRxLoss ?? false };
  }
  return { type: 'HOST_DEVICE', host_device: deviceName(backing), auto_detect: autoDetect(backing) };
}

export function sataAdapterInfos(devices: Devices): InfoMap<typeof sataAdapterInfo> {
  return byKey(devices, (device): TypeOf<typeof sataAdapterInfo> | undefined =>
    isA('VirtualSATAController', device)
      ? { label: labelOf(device), type: 'AHCI', bus: device.busNumber, pci_slot_number: slotOf(device) }
      : undefined,
  );
}

const SCSI_TYPES = [
  ['ParaVirtualSCSIController', 'PVSCSI'],
  ['VirtualLsiLogicSASController', 'LSILOGICSAS'],
  ['VirtualLsiLogicController', 'LSILOGIC'],
  ['VirtualBusLogicController', 'BUSLOGIC'],
] as const;
const SHARING = { noSharing: 'NONE', virtualSharing: 'VIRTUAL', physicalSharing: 'PHYSICAL' } as const;

export function scsiAdapterInfos(devices: Devices): InfoMap<typeof scsiAdapterInfo> {
  return byKey(devices, (device): TypeOf<typeof scsiAdapterInfo> | undefined => {
    if (!isA('VirtualSCSIController', device)) return undefined;
    return {
      label: labelOf(device),
      type: SCSI_TYPES.find(([name]) => isA(name, device))?.[1] ?? 'LSILOGIC',
      scsi: { bus: device.busNumber, unit: device.scsiCtlrUnitNumber ?? 7 },
      pci_slot_number: slotOf(device),
      sharing: SHARING[device.sharedBus as keyof typeof SHARING] ?? 'NONE',
    };
  });
}

export function nvmeAdapterInfos(devices: Devices): InfoMap<typeof nvmeAdapterInfo> {
  return byKey(devices, (device): TypeOf<typeof nvmeAdapterInfo> | undefined =>
    isA('VirtualNVMEController', device)
      ? { label: labelOf(device), bus: device.busNumber, pci_slot_number: slotOf(device) }
      : undefined,
  );
}

function byKey<T>(devices: Devices, tell: (device: VirtualDevice) => T | undefined): Readonly<Record<string, T>> {
  return Object.fromEntries(
    devices.flatMap((device): [string, T][] => {
      const info = tell(device);
      return info === undefined ? [] : [[String(device.key), info]];
    }),
  );
}

type Address = Pick<TypeOf<typeof diskInfo>, 'type' | 'ide' | 'scsi' | 'sata' | 'nvme'>;

/** The bus that a drive hangs on, and where on it. */
function addressOf(devices: Devices, { controllerKey, unitNumber = 0 }: VirtualDevice): Address {
  const controller = devices.find(({ key }) => key === controllerKey) as VirtualController | undefined;
  const bus = controller?.busNumber ?? 0;
  if (isA('VirtualIDEController', controller))
    return { type: 'IDE', ide: { primary: bus === 0, master: unitNumber === 0 } };
  if (isA('VirtualSATAController', controller)) return { type: 'SATA', sata: { bus, unit: unitNumber } };
  if (isA('VirtualNVMEController', controller)) return { type: 'NVME', nvme: { bus, unit: unitNumber } };
  return { type: 'SCSI', scsi: { bus, unit: unitNumber } };
}

function labelOf({ deviceInfo }: VirtualDevice): string {
  return deviceInfo?.label ?? '';
}

function slotOf({ slotInfo }: VirtualDevice): number | undefined {
  return isA('VirtualDevicePciBusSlotInfo', slotInfo)
    ? (slotInfo as VirtualDevicePciBusSlotInfo).pciSlotNumber
    : undefined;
}

const ERRORS = { recoverableError: 'RECOVERABLE_ERROR', unrecoverableError: 'UNRECOVERABLE_ERROR' } as const;

function connectionOf(connectable: VirtualDeviceConnectInfo | undefined) {
  const { connected = false, startConnected = false, allowGuestControl = false, status } = connectable ?? {};
  const state = ERRORS[status as keyof typeof ERRORS] ?? (connected ? 'CONNECTED' : 'NOT_CONNECTED');
  return { state, start_connected: startConnected, allow_guest_control: allowGuestControl };
}

function deviceName(backing: unknown): string | undefined {
  return isA('VirtualDeviceDeviceBackingInfo', backing) ? backing.deviceName : undefined;
}

function autoDetect(backing: unknown): boolean | undefined {
  return isA('VirtualDeviceDeviceBackingInfo', backing) ? backing.useAutoDetect : undefined;
}
