// What of a change happens to a running machine, and what cannot: the difference of two configurations, read once.
import { controllerTraits } from '@vivarium/qemu/machine';
import {
  isA,
  MethodFault,
  type VirtualDevice,
  type VirtualEthernetCard,
  type VirtualMachineConfigInfo,
  type VirtualMachinePowerState,
} from '@vivarium/vim';
import { textOf } from '../config/vmx-from-config.ts';
import { deviceId } from '../device/device-id.ts';
import { busOf } from '../device/drive-bus.ts';
import type { LiveEffect } from '../effects.ts';
import { controllerKind } from '../machine/controller-kind.ts';
import { mediumPath } from '../machine/machine-drives.ts';
import { deviceFault } from './device-fault.ts';
import { invalidArgument } from './invalid-argument.ts';

/** Steps of memory that a running machine can take (a DIMM of Linux's block size). */
const MEMORY_STEP_MB = 128;

/** Settings that only a machine that is off can take. */
const coldSettings: readonly ((config: VirtualMachineConfigInfo) => unknown)[] = [
  (config) => config.guestId,
  (config) => config.uuid,
  (config) => config.instanceUuid,
  (config) => config.version,
  (config) => config.firmware,
  (config) => config.bootOptions?.efiSecureBootEnabled,
  (config) => config.hardware.numCoresPerSocket,
  (config) => config.hardware.virtualICH7MPresent,
  (config) => config.hardware.virtualSMCPresent,
  (config) => config.memoryHotAddEnabled,
  (config) => config.cpuHotAddEnabled,
  (config) => config.cpuHotRemoveEnabled,
  (config) => config.nestedHVEnabled,
  (config) => config.vPMCEnabled,
  (config) => config.swapPlacement,
  (config) => [config.flags.diskUuidEnabled, config.flags.vvtdEnabled, config.flags.vbsEnabled],
];

/** `indexOf`: the entry of deviceChange that a device's change came from. */
export function planLive(
  current: VirtualMachineConfigInfo,
  next: VirtualMachineConfigInfo,
  powerState: VirtualMachinePowerState,
  indexOf: (key: number) => number,
): LiveEffect[] {
  if (powerState === 'poweredOff') return [];
  const refusal = () =>
    new MethodFault('InvalidPowerState', { requestedState: 'poweredOff', existingState: powerState });
  const isChanged = (read: (config: VirtualMachineConfigInfo) => unknown) =>
    JSON.stringify(read(current)) !== JSON.stringify(read(next));
  if (coldSettings.some(isChanged)) throw refusal();
  if (powerState === 'suspended') {
    const isHardware = isChanged((config) => [
      config.hardware.numCPU,
      config.hardware.memoryMB,
      config.hardware.device,
    ]);
    if (isHardware) throw refusal();
    return [];
  }
  return [
    ...planDevices(current, next, indexOf, refusal),
    ...planProcessor(current, next),
    ...(isChanged((config) => [config.cpuAllocation, config.memoryAllocation])
      ? [{ kind: 'setAllocation' } as const]
      : []),
    ...planGuestInfo(current, next),
  ];
}

function planDevices(
  current: VirtualMachineConfigInfo,
  next: VirtualMachineConfigInfo,
  indexOf: (key: number) => number,
  refusal: () => MethodFault,
): LiveEffect[] {
  const [before, after] = [current.hardware.device ?? [], next.hardware.device ?? []];
  const going: LiveEffect[] = [];
  const coming: LiveEffect[] = [];
  const changing: LiveEffect[] = [];
  for (const old of before) {
    const now = after.find((device) => device.key === old.key);
    if (!now || !isSameHardware(old, now)) going.push(unplug(old, before, indexOf, refusal));
  }
  for (const now of after) {
    const old = before.find((device) => device.key === now.key);
    if (!old || !isSameHardware(old, now)) coming.push(plug(now, after, indexOf, refusal));
    else changing.push(...change(old, now, refusal));
  }
  // Drives leave before their controller, controllers come before their drives.
  const isController = ({ kind }: LiveEffect) => kind === 'plugController' || kind === 'unplugController';
  return [
    ...going.filter((effect) => !isController(effect)),
    ...going.filter(isController),
    ...coming.filter(isController),
    ...coming.filter((effect) => !isController(effect)),
    ...changing,
  ];
}

/** Is it still the same thing to the guest? Another file behind a disk or another address makes it another device. */
function isSameHardware(old: VirtualDevice, now: VirtualDevice): boolean {
  if (old._typeName !== now._typeName) return false;
  if (isA('VirtualDisk', old) && isA('VirtualDeviceFileBackingInfo', old.backing)) {
    return isA('VirtualDeviceFileBackingInfo', now.backing) && old.backing.fileName === now.backing.fileName;
  }
  if (isA('VirtualEthernetCard', old)) return old.macAddress === (now as VirtualEthernetCard).macAddress;
  return true;
}

function plug(
  device: VirtualDevice,
  devices: readonly VirtualDevice[],
  indexOf: (key: number) => number,
  refusal: () => MethodFault,
): LiveEffect {
  const live = { deviceKey: device.key, deviceId: deviceId(device) };
  if (isA('VirtualEthernetCard', device)) return { kind: 'plugNic', ...live };
  if (busOf(device)) {
    checkPluggable(controllerKind(device), 'isHotPluggable', indexOf(device.key));
    return { kind: 'plugController', ...live };
  }
  const isDisk = isA('VirtualDisk', device);
  if (!isDisk && !isA('VirtualCdrom', device)) throw refusal();
  checkDrive(device, devices, indexOf);
  return { kind: isDisk ? 'plugDisk' : 'plugCdrom', ...live };
}

function unplug(
  device: VirtualDevice,
  devices: readonly VirtualDevice[],
  indexOf: (key: number) => number,
  refusal: () => MethodFault,
): LiveEffect {
  const live = { deviceKey: device.key, deviceId: deviceId(device) };
  if (isA('VirtualEthernetCard', device)) return { kind: 'unplugNic', ...live };
  if (busOf(device)) {
    checkPluggable(controllerKind(device), 'isHotPluggable', indexOf(device.key));
    return { kind: 'unplugController', ...live };
  }
  const isDisk = isA('VirtualDisk', device);
  if (!isDisk && !isA('VirtualCdrom', device)) throw refusal();
  checkDrive(device, devices, indexOf);
  return { kind: isDisk ? 'unplugDisk' : 'unplugCdrom', ...live };
}

function checkDrive(drive: VirtualDevice, devices: readonly VirtualDevice[], indexOf: (key: number) => number): void {
  const controller = devices.find((device) => device.key === drive.controllerKey);
  checkPluggable(controller && controllerKind(controller), 'drivesHotPluggable', indexOf(drive.key));
}

function checkPluggable(
  kind: ReturnType<typeof controllerKind>,
  trait: 'isHotPluggable' | 'drivesHotPluggable',
  index: number,
): void {
  if (kind !== undefined && controllerTraits[kind][trait]) return;
  throw deviceFault(
    'DeviceHotPlugNotSupported',
    index,
    'device',
    `A device of controller kind '${kind ?? 'none'}' cannot be added or removed while the virtual machine runs.`,
  );
}

function change(old: VirtualDevice, now: VirtualDevice, refusal: () => MethodFault): LiveEffect[] {
  const live = { deviceKey: now.key, deviceId: deviceId(now) };
  if (isA('VirtualEthernetCard', now)) return changeAdapter(old, now);
  if (isA('VirtualCdrom', now) || isA('VirtualFloppy', now)) {
    const path = mediumPath(now);
    if (path === mediumPath(old)) return [];
    const medium = isA('VirtualCdrom', now) ? 'cdrom' : 'floppy';
    return [
      { kind: 'changeMedia', ...live, medium, readOnly: medium === 'cdrom', ...(path === undefined ? {} : { path }) },
    ];
  }
  if (isA('VirtualSerialPort', now)) {
    const end = ({ backing, connectable }: VirtualDevice) => JSON.stringify([backing, connectable?.connected]);
    return end(old) === end(now) ? [] : [{ kind: 'changeSerial', ...live }];
  }
  if (isA('VirtualDisk', now) && isA('VirtualDisk', old)) {
    const settings = ({ backing }: VirtualDevice) =>
      isA('VirtualDiskFlatVer2BackingInfo', backing)
        ? [backing.diskMode, backing.sharing, backing.writeThrough].join()
        : '';
    if (settings(old) !== settings(now)) throw refusal();
    const limit = now.storageIOAllocation?.limit ?? -1;
    if (limit === (old.storageIOAllocation?.limit ?? -1)) return [];
    return [{ kind: 'setDiskLimit', ...live, ...(limit < 0 ? {} : { iops: limit }) }];
  }
  const { device: _old, ...was } = old as VirtualDevice & { device?: number[] };
  const { device: _now, ...is } = now as VirtualDevice & { device?: number[] };
  if (JSON.stringify(was) !== JSON.stringify(is)) throw refusal();
  return [];
}

function changeAdapter(old: VirtualDevice, now: VirtualDevice): LiveEffect[] {
  const live = { deviceKey: now.key, deviceId: deviceId(now) };
  const up = now.connectable?.connected ?? false;
  const [before, network] = [networkName(old), networkName(now)];
  if (before !== network) return [{ kind: 'moveNic', ...live, network, up }];
  return up === (old.connectable?.connected ?? false) ? [] : [{ kind: 'setNicLink', ...live, up }];
}

/** Name of a standard network, key of a distributed port group. */
function networkName({ backing }: VirtualDevice): string {
  if (isA('VirtualEthernetCardDistributedVirtualPortBackingInfo', backing)) return backing.port.portgroupKey ?? '';
  return isA('VirtualDeviceDeviceBackingInfo', backing) ? backing.deviceName : '';
}

function planProcessor(current: VirtualMachineConfigInfo, next: VirtualMachineConfigInfo): LiveEffect[] {
  const effects: LiveEffect[] = [];
  const count = next.hardware.numCPU;
  if (count !== current.hardware.numCPU) {
    if (!current.cpuHotAddEnabled || count < current.hardware.numCPU)
      throw new MethodFault('CpuHotPlugNotSupported', {});
    effects.push({ kind: 'plugCpus', count });
  }
  const { memoryMB } = next.hardware;
  const growth = memoryMB - current.hardware.memoryMB;
  if (growth !== 0) {
    if (!current.memoryHotAddEnabled || growth < 0) throw new MethodFault('MemoryHotPlugNotSupported', {});
    if (growth % MEMORY_STEP_MB !== 0)
      throw invalidArgument('memoryMB', `Running memory grows in steps of ${MEMORY_STEP_MB} MB.`);
    effects.push({ kind: 'plugMemory', memoryMB });
  }
  return effects;
}

function planGuestInfo(current: VirtualMachineConfigInfo, next: VirtualMachineConfigInfo): LiveEffect[] {
  const of = (config: VirtualMachineConfigInfo) =>
    new Map(
      (config.extraConfig ?? [])
        .filter(({ key }) => key.toLowerCase().startsWith('guestinfo.'))
        .map(({ key, value }) => [key, textOf(value)]),
    );
  const [before, after] = [of(current), of(next)];
  const set = [...after].filter(([name, value]) => before.get(name) !== value);
  const gone = [...before.keys()].filter((name) => !after.has(name));
  return [
    ...set.map(([name, value]) => ({ kind: 'setGuestInfo', name, value }) as const),
    ...gone.map((name) => ({ kind: 'setGuestInfo', name }) as const),
  ];
}
