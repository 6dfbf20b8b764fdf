import { isA, type VirtualDevice } from '@vivarium/vim';
import { FIRST_FLOPPY_KEY } from '../config/devices/floppies.ts';
import { FIRST_NIC_KEY } from '../config/devices/network-adapters.ts';
import { FIRST_SERIAL_KEY } from '../config/devices/serial-ports.ts';
import { busOf, placeOf } from './drive-bus.ts';

/** What a device's keys begin with in a VMX: `scsi0`, `scsi0:1`, `ethernet2` …; `undefined` for devices without a number. */
export function vmxPrefix(device: VirtualDevice, devices: readonly VirtualDevice[]): string | undefined {
  const bus = busOf(device);
  if (bus && isA('VirtualController', device)) return `${bus.name}${device.busNumber}`;
  if (isA('VirtualEthernetCard', device)) return `ethernet${device.key - FIRST_NIC_KEY}`;
  if (isA('VirtualFloppy', device)) return `floppy${device.key - FIRST_FLOPPY_KEY}`;
  if (isA('VirtualSerialPort', device)) return `serial${device.key - FIRST_SERIAL_KEY}`;
  const place = placeOf(device, devices);
  return place && `${place.bus.name}${place.busNumber}:${place.unit}`;
}
