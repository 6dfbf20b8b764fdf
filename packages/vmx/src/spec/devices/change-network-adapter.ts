// Network adapters of a spec.
import {
  isA,
  MethodFault,
  make,
  type VirtualDevice,
  type VirtualDeviceBackingInfo,
  type VirtualEthernetCard,
} from '@vivarium/vim';
import { FIRST_NIC_KEY, MAX_NICS, NIC_SHARES } from '../../config/devices/network-adapters.ts';
import { PCI_KEY } from '../../device/fixed-devices.ts';
import { generatedMacAddress, isManualMacAddress, parseMacAddress } from '../../machine/mac-address.ts';
import { checkShares } from '../check-shares.ts';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';
import { connection } from './connection.ts';
import { freeIndex } from './free-index.ts';

/** Unit 7 of PCI controller 0 is ethernet0. */
const FIRST_PCI_UNIT = 7;

export function addNetworkAdapter(change: DeviceChange, draft: DeviceDraft): void {
  const device = asAdapter(change);
  const index = freeIndex(FIRST_NIC_KEY, MAX_NICS, draft);
  if (index === undefined)
    throw new MethodFault('TooManyDevices', { property: `deviceChange[${change.index}].device` });
  const backing = networkBacking(change, draft);
  if (!backing) throw deviceFault('InvalidDeviceBacking', change.index, 'device.backing');
  draft.add(
    adapter(change, draft, {
      ...device,
      key: FIRST_NIC_KEY + index,
      unitNumber: FIRST_PCI_UNIT + index,
      backing,
      connectable: connection(device, undefined, draft),
    }),
    device.key,
  );
}

export function editNetworkAdapter(change: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  const device = asAdapter(change);
  if (device._typeName !== old._typeName) throw deviceFault('InvalidDeviceSpec', change.index, 'device');
  const was = old as VirtualEthernetCard; // same type name as an adapter
  const backing = networkBacking(change, draft) ?? was.backing;
  // A new kind of address without an address asks for a new one.
  const keepsAddress = device.addressType === undefined || sameKind(device.addressType, was.addressType);
  const macAddress = device.macAddress || (keepsAddress ? was.macAddress : undefined);
  draft.remove(old.key);
  const { macAddress: _old, ...merged } = { ...was, ...device };
  draft.add(
    adapter(change, draft, {
      ...merged,
      key: old.key,
      ...(was.unitNumber === undefined ? {} : { unitNumber: was.unitNumber }),
      ...(backing ? { backing } : {}),
      ...(macAddress ? { macAddress } : {}),
      connectable: connection(device, old, draft),
    }),
    old.key,
  );
}

/** Adapters that QEMU emulates. SR-IOV, RDMA and the older vmxnet kinds are refused by name. */
const types = ['VirtualE1000', 'VirtualE1000e', 'VirtualVmxnet3', 'VirtualPCNet32'];

function asAdapter({ device, index }: DeviceChange): VirtualEthernetCard & { _typeName: string } {
  if (!isA('VirtualEthernetCard', device) || !types.includes(device._typeName)) {
    throw deviceFault('DeviceUnsupportedForVmPlatform', index, 'device');
  }
  return device;
}

function adapter({ index }: DeviceChange, draft: DeviceDraft, device: VirtualEthernetCard): VirtualEthernetCard {
  const share = device.resourceAllocation?.share;
  const { deviceInfo: _info, ...rest } = device;
  return {
    ...rest,
    controllerKey: PCI_KEY,
    ...address(device, index, draft),
    wakeOnLanEnabled: device.wakeOnLanEnabled ?? true,
    uptCompatibilityEnabled: device.uptCompatibilityEnabled ?? false,
    resourceAllocation: make('VirtualEthernetCardResourceAllocation', {
      reservation: device.resourceAllocation?.reservation ?? 0,
      share: checkShares(share, NIC_SHARES, `deviceChange[${index}].device.resourceAllocation.share`),
      limit: device.resourceAllocation?.limit ?? -1,
    }),
  };
}

const sameKind = (one: string | undefined, other: string | undefined) => one?.toLowerCase() === other?.toLowerCase();

function address(device: VirtualEthernetCard, index: number, draft: DeviceDraft) {
  const given = device.macAddress ? parseMacAddress(device.macAddress) : undefined;
  if (device.macAddress && !given) throw deviceFault('InvalidDeviceSpec', index, 'device.macAddress');
  const type = device.addressType?.toLowerCase() || (given ? 'manual' : 'generated');
  if (!['manual', 'generated', 'assigned'].includes(type))
    throw deviceFault('InvalidDeviceSpec', index, 'device.addressType');
  if (type === 'manual') {
    if (!given || !isManualMacAddress(given)) throw deviceFault('InvalidDeviceSpec', index, 'device.macAddress');
    return { addressType: 'manual', macAddress: given };
  }
  if (type === 'assigned' && given) return { addressType: 'assigned', macAddress: given };
  // vCenter assigns addresses before it asks a host; a host that is asked itself generates one. A client that sends an
  // adapter back unchanged sends its generated address too.
  const keeps = given?.startsWith('00:0c:29:') ? given : undefined;
  return { addressType: 'generated', macAddress: keeps ?? freeAddress(draft) };
}

function freeAddress(draft: DeviceDraft): string {
  const taken = draft.ofType('VirtualEthernetCard').map((other) => (other as VirtualEthernetCard).macAddress);
  const { uuid } = draft.settings;
  const candidates = Array.from({ length: MAX_NICS + 1 }, (_, offset) => generatedMacAddress(uuid, offset));
  return candidates.find((candidate) => !taken.includes(candidate)) ?? generatedMacAddress(uuid, MAX_NICS + 1);
}

function networkBacking({ device, index }: DeviceChange, draft: DeviceDraft): VirtualDeviceBackingInfo | undefined {
  const { backing } = device;
  const { networks } = draft.settings.env;
  if (backing === undefined) return undefined;
  if (isA('VirtualEthernetCardDistributedVirtualPortBackingInfo', backing)) {
    const { switchUuid, portgroupKey } = backing.port;
    const found = networks.some(
      ({ distributed }) =>
        distributed?.switchUuid === switchUuid &&
        (portgroupKey === undefined || distributed.portgroupKey === portgroupKey),
    );
    if (!found) throw deviceFault('InvalidDeviceBacking', index, 'device.backing.port');
    return { ...backing };
  }
  if (!isA('VirtualEthernetCardNetworkBackingInfo', backing))
    throw deviceFault('InvalidDeviceBacking', index, 'device.backing');
  const { deviceName, network } = backing;
  const found = networks.find(
    ({ name, ref, distributed }) => !distributed && (deviceName ? name === deviceName : ref.value === network?.value),
  );
  if (!found)
    throw deviceFault(
      'InvalidDeviceBacking',
      index,
      'device.backing.deviceName',
      `The network '${deviceName}' is not on this host.`,
    );
  return make('VirtualEthernetCardNetworkBackingInfo', { deviceName: found.name, useAutoDetect: false });
}
