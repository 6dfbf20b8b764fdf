// Storage of a configuration in QEMU's words.
import type { Cdrom, Controller, Disk, Floppy } from '@vivarium/qemu/machine';
import { isA, MethodFault, type VirtualDevice } from '@vivarium/vim';
import { slotOf } from '../config/devices/pci-slot.ts';
import { isProductImage } from '../config/product-image.ts';
import { deviceId } from '../device/device-id.ts';
import type { MachineEnvironment, ResolvedDisk } from '../environment.ts';
import { controllerKind } from './controller-kind.ts';

type BootPlan = ReadonlyMap<number, number>;

/** IDE controllers are there when something is on them; the others always. */
export function machineControllers(devices: readonly VirtualDevice[]): Controller[] {
  return devices.flatMap((device): Controller[] => {
    const kind = controllerKind(device);
    if (!kind) return [];
    const slot = slotOf(device);
    return [{ id: deviceId(device), kind, ...(slot === undefined ? {} : { pciSlot: slot }) }];
  });
}

export interface ResolvedDrive {
  readonly device: VirtualDevice;
  readonly resolved: ResolvedDisk;
}

/** The disks with their files; throws what env.resolveDisk throws. */
export function resolveDisks(devices: readonly VirtualDevice[], env: MachineEnvironment): ResolvedDrive[] {
  return devices.flatMap((device) => {
    if (!isA('VirtualDisk', device) || !isA('VirtualDeviceFileBackingInfo', device.backing)) return [];
    const mode = isA('VirtualDiskFlatVer2BackingInfo', device.backing) ? device.backing.diskMode : 'persistent';
    if (!isKeptMode(mode)) {
      throw new MethodFault('VirtualDiskModeNotSupported', { device: device.deviceInfo?.label ?? '', mode });
    }
    return [{ device, resolved: env.resolveDisk(device.backing.fileName) }];
  });
}

/** Modes whose writes stay on the disk. The others need a throw-away layer, which is not built. */
export function isKeptMode(mode: string): boolean {
  return mode === 'persistent' || mode === 'independent_persistent';
}

export function machineDisk(
  { device, resolved }: ResolvedDrive,
  devices: readonly VirtualDevice[],
  boot: BootPlan,
): Disk {
  const backing = isA('VirtualDiskFlatVer2BackingInfo', device.backing) ? device.backing : undefined;
  return {
    ...place(device, devices, boot),
    file: resolved.file,
    format: resolved.format,
    backing: resolved.backing,
    readOnly: false,
    writeThrough: backing?.writeThrough ?? false,
    discard: resolved.format === 'qcow2',
    serial: (backing?.uuid ?? '').replaceAll('-', '').toLowerCase(),
  };
}

/** A host's own drive is never passed through: its tray is empty. */
export function machineCdroms(devices: readonly VirtualDevice[], boot: BootPlan, env: MachineEnvironment): Cdrom[] {
  return devices
    .filter((device) => isA('VirtualCdrom', device))
    .map((device) => {
      const path = mediumPath(device);
      return { ...place(device, devices, boot), ...(path === undefined ? {} : { file: env.resolveFile(path) }) };
    });
}

export function machineFloppies(devices: readonly VirtualDevice[], boot: BootPlan, env: MachineEnvironment): Floppy[] {
  return devices
    .filter((device) => isA('VirtualFloppy', device))
    .map((device) => {
      const path = mediumPath(device);
      return {
        id: deviceId(device),
        unit: device.unitNumber === 1 ? 1 : 0,
        readOnly: false,
        ...(path === undefined ? {} : { file: env.resolveFile(path) }),
        ...bootIndex(device, boot),
      };
    });
}

/**
 * Datastore path of the medium that is in the drive now; `undefined` = the tray is empty. A VMX from elsewhere may name a file
 * of that machine (`[] C:\\ISO\\x.iso`): nothing of ours, so the tray stays empty.
 */
export function mediumPath(device: VirtualDevice): string | undefined {
  const { backing, connectable } = device;
  if (!connectable?.connected || !isA('VirtualDeviceFileBackingInfo', backing)) return undefined;
  const { fileName } = backing;
  return fileName === '' || (fileName.startsWith('[] ') && !isProductImage(fileName)) ? undefined : fileName;
}

function place(device: VirtualDevice, devices: readonly VirtualDevice[], boot: BootPlan) {
  const controller = devices.find((candidate) => candidate.key === device.controllerKey);
  return {
    id: deviceId(device),
    controller: controller ? deviceId(controller) : '',
    unit: device.unitNumber ?? 0,
    ...bootIndex(device, boot),
  };
}

export function bootIndex(device: VirtualDevice, boot: BootPlan): { bootIndex?: number } {
  const index = boot.get(device.key);
  return index === undefined ? {} : { bootIndex: index };
}
