import type { DeviceFamily } from './device-context.ts';
import { cdroms } from './devices/cdroms.ts';
import { disks } from './devices/disks.ts';
import { floppies } from './devices/floppies.ts';
import { networkAdapters } from './devices/network-adapters.ts';
import { serialPorts } from './devices/serial-ports.ts';
import { storageControllers } from './devices/storage-controllers.ts';
import { usbControllers } from './devices/usb-controllers.ts';
import { videoAndVmci } from './devices/video-and-vmci.ts';

/** All devices that a VMX can name and that Vivarium has. What it has not (sound, parallel ports …) stays in extraConfig. */
export const deviceFamilies: readonly DeviceFamily[] = [
  videoAndVmci,
  storageControllers,
  disks,
  cdroms,
  floppies,
  networkAdapters,
  serialPorts,
  usbControllers,
];
