// vSphere's configuration -> QEMU's machine. Pure; the same configuration always gives the same machine.
import type { Firmware, Machine, Nic, NicKind, Serial } from '@vivarium/qemu/machine';
import { isA, type VirtualDevice, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { folderOf, joinPath, parseDatastorePath } from '../config/datastore-path.ts';
import { FIRST_NIC_KEY } from '../config/devices/network-adapters.ts';
import { slotOf } from '../config/devices/pci-slot.ts';
import { FIRST_SERIAL_KEY } from '../config/devices/serial-ports.ts';
import { textOf } from '../config/vmx-from-config.ts';
import { deviceId } from '../device/device-id.ts';
import type { MachineEnvironment, MachineTypes } from '../environment.ts';
import { findGuestOs } from '../guest/guest-os.ts';
import { planBoot } from './boot-plan.ts';
import { generatedMacAddress } from './mac-address.ts';
import {
  bootIndex,
  machineCdroms,
  machineControllers,
  machineDisk,
  machineFloppies,
  resolveDisks,
} from './machine-drives.ts';

/** Key of the hardware record in a VMX: the machine type that the VM was made with. */
export const MACHINE_TYPE_KEY = 'vivarium.machineType';

/**
 * Key for the memory of a suspended guest that was plugged while it ran: sizes in MB, in order, apart by blanks. The machine that
 * goes on from its state must have them as modules.
 */
export const MEMORY_MODULES_KEY = 'vivarium.memoryModules';

const MIN_VIDEO_KB = 16_384;

/**
 * The machine of a configuration. Devices are connected as `connectable.connected` says: see connectForPowerOn.
 * Device ids are kind and key: `disk-2000`, `nic-4000`, `cdrom-3000`, `scsi-1000` …
 */
export function machineFromConfig(config: VirtualMachineConfigInfo, env: MachineEnvironment): Machine {
  const devices = config.hardware.device ?? [];
  const guest = findGuestOs(config.guestId);
  const isModern = guest?.profile.pciExpress ?? true;
  const isWindows = guest?.family === 'windowsGuest';
  const disks = resolveDisks(devices, env);
  const boot = planBoot(
    config,
    disks.every(({ resolved }) => resolved.isBlank === true),
  );
  const video = devices.find((device) => isA('VirtualMachineVideoCard', device));
  const generationId = generationIdOf(config);
  const modules = plugged(config);
  const memoryMB = config.hardware.memoryMB - modules.reduce((sum, sizeMB) => sum + sizeMB, 0);
  const memoryMaxMB = maxMemory(config, memoryMB, env);
  return {
    name: config.name,
    uuid: config.uuid,
    machineType: machineTypeOf(config, env.machineTypes),
    cpu: {
      model: env.cpuModel,
      count: config.hardware.numCPU,
      coresPerSocket: config.hardware.numCoresPerSocket ?? 1,
      maxCount: maxCpus(config, env),
    },
    memoryMB,
    ...(memoryMaxMB > memoryMB ? { memoryMaxMB } : {}),
    ...(modules.length > 0 ? { memoryModulesMB: modules } : {}),
    firmware: firmwareOf(config, env),
    bootDelayMs: config.bootOptions?.bootDelay ?? 0,
    enterSetup: config.bootOptions?.enterBIOSSetup ?? false,
    controllers: machineControllers(devices),
    disks: disks.map((drive) => machineDisk(drive, devices, boot)),
    cdroms: machineCdroms(devices, boot, env),
    floppies: machineFloppies(devices, boot, env),
    nics: devices
      .filter((device) => isA('VirtualEthernetCard', device))
      .map((device) => machineNic(device, config, boot)),
    serials: devices.filter((device) => isA('VirtualSerialPort', device)).map((device) => machineSerial(device, env)),
    video: { kind: 'std', videoRamKB: Math.max(MIN_VIDEO_KB, video?.videoRamSizeInKB ?? 0) },
    usbInput: isModern,
    balloon: isModern,
    rng: isModern && !isWindows,
    ...(generationId === undefined ? {} : { generationId }),
    // VMware shows Windows guests the local time, as Windows expects of a PC.
    rtc: isWindows ? 'localtime' : 'utc',
  };
}

/** The machine type of the hardware record; for a VM without one (from elsewhere), what suits its guest. */
export function machineTypeOf(config: VirtualMachineConfigInfo, types: MachineTypes): string {
  const recorded = extraText(config, MACHINE_TYPE_KEY);
  if (recorded !== undefined && /^pc-(q35|i440fx)-\d{1,3}\.\d{1,3}$/.test(recorded)) return recorded;
  return pinnedMachineType(config.guestId, config.firmware, types);
}

/** q35, except for guests that know nothing of PCI Express. UEFI needs q35 in any case. */
export function pinnedMachineType(guestId: string, firmware: string | undefined, types: MachineTypes): string {
  const knowsExpress = findGuestOs(guestId)?.profile.pciExpress ?? true;
  return knowsExpress || firmware === 'efi' ? types.q35 : types.pc;
}

export function extraText(config: VirtualMachineConfigInfo, key: string): string | undefined {
  const found = config.extraConfig?.find((option) => option.key.toLowerCase() === key.toLowerCase());
  return found && textOf(found.value);
}

/** Datastore path of the file with the firmware's variables. */
export function nvramPath(config: VirtualMachineConfigInfo): string {
  const vmx = parseDatastorePath(config.files.vmPathName ?? '') ?? { datastore: '', path: 'vm.vmx' };
  const stem =
    vmx.path
      .split('/')
      .at(-1)
      ?.replace(/\.vm(x|tx)$/i, '') ?? 'vm';
  const named = extraText(config, 'nvram');
  const isPlain = named !== undefined && named !== '' && !/[/\\]|^\.\.?$/.test(named);
  return joinPath(folderOf(vmx), isPlain ? named : `${stem}.nvram`);
}

function firmwareOf(config: VirtualMachineConfigInfo, env: MachineEnvironment): Firmware {
  if (config.firmware !== 'efi') return { kind: 'bios' };
  const secureBoot = config.bootOptions?.efiSecureBootEnabled ?? false;
  return { kind: 'efi', secureBoot, nvram: env.resolveFile(nvramPath(config)) };
}

function maxCpus(config: VirtualMachineConfigInfo, env: MachineEnvironment): number {
  const { numCPU, numCoresPerSocket = 1 } = config.hardware;
  if (!config.cpuHotAddEnabled) return numCPU;
  const sockets = Math.floor(Math.max(numCPU, env.limits.numCPUs) / numCoresPerSocket);
  return Math.max(numCPU, sockets * numCoresPerSocket);
}

/** vSphere lets memory grow to 16 times what the VM started with. */
export const MEMORY_GROWTH = 16;

function maxMemory(config: VirtualMachineConfigInfo, startMB: number, env: MachineEnvironment): number {
  const { memoryMB } = config.hardware;
  return config.memoryHotAddEnabled
    ? Math.max(memoryMB, Math.min(startMB * MEMORY_GROWTH, env.limits.memoryMB))
    : memoryMB;
}

// A note that does not fit the memory is none of ours.
function plugged(config: VirtualMachineConfigInfo): number[] {
  const noted = extraText(config, MEMORY_MODULES_KEY) ?? '';
  if (!/^[1-9]\d{0,7}( [1-9]\d{0,7}){0,31}$/.test(noted)) return [];
  const sizes = noted.split(' ').map(Number);
  return sizes.reduce((sum, sizeMB) => sum + sizeMB, 0) < config.hardware.memoryMB ? sizes : [];
}

function machineNic(device: VirtualDevice, config: VirtualMachineConfigInfo, boot: ReadonlyMap<number, number>): Nic {
  const slot = slotOf(device);
  const address = isA('VirtualEthernetCard', device) ? device.macAddress : undefined;
  return {
    id: deviceId(device),
    kind: nicKind(device),
    mac: address || generatedMacAddress(config.uuid, device.key - FIRST_NIC_KEY),
    linkUp: device.connectable?.connected ?? false,
    ...bootIndex(device, boot),
    ...(slot === undefined ? {} : { pciSlot: slot }),
  };
}

function nicKind(device: VirtualDevice): NicKind {
  if (isA('VirtualVmxnet3', device)) return 'vmxnet3';
  if (isA('VirtualE1000e', device)) return 'e1000e';
  return isA('VirtualPCNet32', device) ? 'pcnet' : 'e1000';
}

/** Ports with a far end in the network, or a pipe, are sockets that the host connects; a disconnected port leads nowhere. */
function machineSerial(device: VirtualDevice, env: MachineEnvironment): Serial {
  const port = { id: deviceId(device), index: device.key - FIRST_SERIAL_KEY };
  const { backing } = device;
  if (device.connectable?.connected !== true) return { ...port, backing: { kind: 'null' } };
  if (isA('VirtualSerialPortFileBackingInfo', backing) && backing.fileName !== '') {
    return { ...port, backing: { kind: 'file', file: env.resolveFile(backing.fileName), append: true } };
  }
  if (isA('VirtualSerialPortURIBackingInfo', backing) || isA('VirtualSerialPortPipeBackingInfo', backing)) {
    return { ...port, backing: { kind: 'socket', server: true, path: env.serialSocket(port.id) } };
  }
  return { ...port, backing: { kind: 'null' } };
}

/** `vm.genid` and `vm.genidX`: two signed 64-bit numbers, the UUID's first and second half. */
function generationIdOf(config: VirtualMachineConfigInfo): string | undefined {
  const halves = ['vm.genid', 'vm.genidX'].map((key) => extraText(config, key) ?? '');
  if (!halves.every((half) => /^-?\d{1,19}$/.test(half))) return undefined;
  const hex = halves.map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
