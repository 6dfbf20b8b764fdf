// Storage and USB controllers of a spec.
import { isA, MethodFault, make, type VirtualController, type VirtualDevice } from '@vivarium/vim';
import { scsiController } from '../../config/devices/storage-controllers.ts';
import { USB_KEY, XHCI_KEY } from '../../config/devices/usb-controllers.ts';
import { busOf, type DriveBus } from '../../device/drive-bus.ts';
import { PCI_KEY } from '../../device/fixed-devices.ts';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';

const scsiTypes = [
  'ParaVirtualSCSIController',
  'VirtualLsiLogicSASController',
  'VirtualLsiLogicController',
  'VirtualBusLogicController',
] as const;

/** Adds the controller to the draft and returns it. A bus number that is taken gives way to the next free one. */
export function addController(change: DeviceChange, draft: DeviceDraft): VirtualDevice {
  const { device, index } = change;
  if (isA('VirtualUSBController', device) || isA('VirtualUSBXHCIController', device)) return addUsb(change, draft);
  const bus = busOf(device);
  if (!bus || bus.name === 'ide') throw deviceFault('InvalidDeviceSpec', index, 'device');
  const busNumber = chooseBus(device, bus, draft);
  if (busNumber === undefined) throw new MethodFault('TooManyDevices', { property: `deviceChange[${index}].device` });
  const controller = makeController(change, bus, busNumber);
  draft.add(controller, device.key);
  return controller;
}

function chooseBus(device: VirtualDevice, bus: DriveBus, draft: DeviceDraft): number | undefined {
  const taken = new Set(
    draft.devices
      .filter((other) => isA(bus.controllerType, other))
      .map((other) => (other as VirtualController).busNumber),
  );
  const wanted = isA('VirtualController', device) ? device.busNumber : undefined;
  const all = Array.from({ length: bus.buses }, (_, number) => number);
  return all.find((number) => number === wanted && !taken.has(number)) ?? all.find((number) => !taken.has(number));
}

function makeController({ device, index }: DeviceChange, bus: DriveBus, busNumber: number): VirtualDevice {
  const place = { key: bus.firstController + busNumber, busNumber };
  const pci = { controllerKey: PCI_KEY, unitNumber: 0 };
  if (bus.name === 'sata') return make('VirtualAHCIController', { ...place, ...pci });
  if (bus.name === 'nvme') return make('VirtualNVMEController', { ...place, ...pci, sharedBus: 'noSharing' });
  const type = scsiTypes.find((candidate) => isA(candidate, device));
  if (!type) throw deviceFault('InvalidDeviceSpec', index, 'device');
  const sharedBus = isA('VirtualSCSIController', device) ? (device.sharedBus ?? 'noSharing') : 'noSharing';
  return scsiController(type, place, sharedBus);
}

function addUsb({ device, index }: DeviceChange, draft: DeviceDraft): VirtualDevice {
  const key = isA('VirtualUSBXHCIController', device) ? XHCI_KEY : USB_KEY;
  if (draft.find(key)) throw new MethodFault('TooManyDevices', { property: `deviceChange[${index}].device` });
  const { deviceInfo: _info, slotInfo: _slot, ...rest } = device;
  const added: VirtualDevice = { ...rest, key, controllerKey: PCI_KEY };
  draft.add(added, device.key);
  return added;
}

/** Only sharing and the USB switches can be changed; a controller of another type is another controller. */
export function editController({ device, index }: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  if (device._typeName !== old._typeName) throw deviceFault('InvalidDeviceSpec', index, 'device');
  const wanted = isA('VirtualController', device) ? device.busNumber : undefined;
  if (isA('VirtualController', old) && wanted !== undefined && wanted !== old.busNumber) {
    throw deviceFault('InvalidDeviceSpec', index, 'device.busNumber');
  }
  if (isA('VirtualSCSIController', old) && isA('VirtualSCSIController', device)) {
    draft.replace(old.key, { ...old, ...(device.sharedBus ? { sharedBus: device.sharedBus } : {}) } as VirtualDevice);
  } else if (isA('VirtualUSBController', old) || isA('VirtualUSBXHCIController', old)) {
    draft.replace(old.key, { ...old, ...device, key: old.key });
  }
}

/** A controller goes when nothing is on it any more. */
export function removeController({ index }: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  if (draft.devices.some((device) => device.controllerKey === old.key)) {
    throw deviceFault('InvalidDeviceSpec', index, 'device.key', `Devices are attached to '${old.deviceInfo?.label}'.`);
  }
  draft.remove(old.key);
}
