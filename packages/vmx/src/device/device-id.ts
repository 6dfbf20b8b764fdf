import { isA, type VirtualDevice } from '@vivarium/vim';
import { busOf } from './drive-bus.ts';

/** The qdev id of a device: its kind and its key, e.g. `disk-2000`. Live operations find devices by it. */
export function deviceId(device: VirtualDevice): string {
  return `${kindOf(device)}-${device.key}`;
}

function kindOf(device: VirtualDevice): string {
  if (isA('VirtualDisk', device)) return 'disk';
  if (isA('VirtualCdrom', device)) return 'cdrom';
  if (isA('VirtualFloppy', device)) return 'floppy';
  if (isA('VirtualEthernetCard', device)) return 'nic';
  if (isA('VirtualSerialPort', device)) return 'serial';
  return busOf(device)?.name ?? 'device';
}
