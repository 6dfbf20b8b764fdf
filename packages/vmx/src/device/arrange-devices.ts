// The one order and dress of a VM's device list: sorted, labelled, every controller with the keys of what is on it.
import { isA, type VirtualController, type VirtualDevice } from '@vivarium/vim';
import { deviceInfo } from './device-info.ts';

const ranks = [
  'VirtualIDEController',
  'VirtualPS2Controller',
  'VirtualPCIController',
  'VirtualSIOController',
  'VirtualKeyboard',
  'VirtualPointingDevice',
  'VirtualMachineVideoCard',
  'VirtualMachineVMCIDevice',
  'VirtualSCSIController',
  'VirtualUSBController',
  'VirtualUSBXHCIController',
  'VirtualSATAController',
  'VirtualNVMEController',
  'VirtualCdrom',
  'VirtualDisk',
  'VirtualFloppy',
  'VirtualEthernetCard',
  'VirtualSerialPort',
] as const;

export function arrangeDevices(devices: readonly VirtualDevice[]): VirtualDevice[] {
  const sorted = devices.toSorted((a, b) => rankOf(a) - rankOf(b) || a.key - b.key);
  const counts = new Map<number, number>();
  return sorted.map((device) => {
    const rank = rankOf(device);
    const ordinal = (counts.get(rank) ?? 0) + 1;
    counts.set(rank, ordinal);
    return withChildren({ ...device, deviceInfo: deviceInfo(device, ordinal) }, sorted);
  });
}

function withChildren(device: VirtualDevice, all: readonly VirtualDevice[]): VirtualDevice {
  if (!isA('VirtualController', device)) return device;
  const { device: _stale, ...controller } = device;
  const keys = all.filter((other) => other.controllerKey === device.key).map((other) => other.key);
  const withKeys: VirtualController = keys.length === 0 ? controller : { ...controller, device: keys };
  return withKeys;
}

function rankOf(device: VirtualDevice): number {
  const rank = ranks.findIndex((type) => isA(type, device));
  return rank < 0 ? ranks.length : rank;
}
