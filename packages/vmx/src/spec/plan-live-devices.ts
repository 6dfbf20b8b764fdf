// Which devices of a running machine come, go and change: the difference of two device lists.
import { controllerTraits } from '@vivarium/qemu/machine';
import {
  isA,
  type MethodFault,
  type VirtualDevice,
  type VirtualEthernetCard,
  type VirtualMachineConfigInfo,
} from '@vivarium/vim';
import { deviceId } from '../device/device-id.ts';
import { busOf } from '../device/drive-bus.ts';
import type { LiveEffect } from '../effects.ts';
import { controllerKind } from '../machine/controller-kind.ts';
import { mediumPath } from '../machine/machine-drives.ts';
import { deviceFault } from './device-fault.ts';
import { sameValue } from './same-value.ts';

/**
 * `indexOf`: the entry of deviceChange that a device's change came from. `refusal`: what is thrown for a device that can only
 * change while the machine is off; what QEMU cannot plug is a DeviceHotPlugNotSupported.
 */
export function planLiveDevices(
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
    const end = ({ backing, connectable }: VirtualDevice) => [backing, connectable?.connected];
    return sameValue(end(old), end(now)) ? [] : [{ kind: 'changeSerial', ...live }];
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
  if (!sameValue(was, is)) throw refusal();
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
