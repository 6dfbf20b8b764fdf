// Hard disks of a spec: made new, attached, grown, changed, detached, deleted.
import { token } from '@vivarium/base';
import {
  isA,
  MethodFault,
  make,
  type VirtualDevice,
  type VirtualDisk,
  type VirtualDiskFlatVer2BackingInfo,
} from '@vivarium/vim';
import { normalizeDatastorePath } from '../../config/datastore-path.ts';
import { DISK_SHARES } from '../../config/devices/disks.ts';
import { deviceId } from '../../device/device-id.ts';
import { placeOf } from '../../device/drive-bus.ts';
import type { DiskAdapter, DiskProvisioning } from '../../effects.ts';
import { isKeptMode } from '../../machine/machine-drives.ts';
import { MAX_DISK_BYTES } from '../../vmdk/check-upload.ts';
import { newDiskUuid } from '../../vmdk/disk-uuid.ts';
import { checkShares } from '../check-shares.ts';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';
import { diskPath } from './disk-path.ts';
import { type PlacedDrive, placeDrive } from './place-drive.ts';

/** Where a disk without a controller goes; on IDE only for guests that know nothing better. */
function preferred({ settings }: DeviceDraft): string[] {
  const wanted = settings.profile.diskController;
  const modern = ['VirtualSCSIController', 'VirtualNVMEController', 'VirtualAHCIController'];
  return wanted === 'VirtualIDEController' ? [...modern, wanted] : modern;
}

export function addDisk(change: DeviceChange, draft: DeviceDraft): void {
  const device = asDisk(change);
  const backing = flatBacking(change, device);
  const place = placeDrive(change, draft, preferred(draft));
  const path = diskPath(backing.fileName, change, draft);
  if (draft.usesFile(path)) throw deviceFault('InvalidDeviceBacking', change.index, 'device.backing.fileName');
  const capacityBytes =
    change.fileOperation === 'create' || change.fileOperation === 'replace'
      ? createDisk(change, draft, path, place, backing)
      : attachDisk(change, draft, path, place);
  draft.add(
    make('VirtualDisk', {
      ...diskSettings(change, device),
      ...place,
      backing: make('VirtualDiskFlatVer2BackingInfo', {
        fileName: path,
        diskMode: diskMode(change, backing),
        writeThrough: backing.writeThrough,
        sharing: backing.sharing,
      }),
      capacityInKB: Math.ceil(capacityBytes / 1024),
      capacityInBytes: capacityBytes,
    }),
    device.key,
  );
}

function asDisk({ device, index }: DeviceChange): VirtualDisk & { _typeName: string } {
  if (!isA('VirtualDisk', device)) throw deviceFault('InvalidDeviceSpec', index, 'device');
  return device;
}

/** The one kind of backing that Vivarium makes. Raw device mappings, SEsparse and persistent memory are refused by name. */
function flatBacking({ index }: DeviceChange, { backing }: VirtualDisk): VirtualDiskFlatVer2BackingInfo {
  if (isA('VirtualDiskFlatVer2BackingInfo', backing)) return backing;
  if (backing === undefined) return make('VirtualDiskFlatVer2BackingInfo', { fileName: '', diskMode: 'persistent' });
  throw deviceFault(
    'InvalidDeviceBacking',
    index,
    'device.backing',
    `Disks on ${backing._typeName} are not supported.`,
  );
}

function diskMode({ index }: DeviceChange, backing: VirtualDiskFlatVer2BackingInfo): string {
  const mode = backing.diskMode || 'persistent';
  if (isKeptMode(mode)) return mode;
  if (!['nonpersistent', 'undoable', 'independent_nonpersistent', 'append'].includes(mode)) {
    throw deviceFault('InvalidDeviceSpec', index, 'device.backing.diskMode');
  }
  throw new MethodFault('VirtualDiskModeNotSupported', { device: `deviceChange[${index}].device`, mode });
}

function createDisk(
  change: DeviceChange,
  draft: DeviceDraft,
  path: string,
  place: PlacedDrive,
  backing: VirtualDiskFlatVer2BackingInfo,
): number {
  const { env } = draft.settings;
  const replace = change.fileOperation === 'replace';
  if (!replace && env.exists(path)) throw new MethodFault('FileAlreadyExists', { file: path });
  const parent = backing.parent && normalizeDatastorePath(backing.parent.fileName);
  const parentFacts = parent === undefined ? undefined : env.findDisk(parent);
  if (backing.parent && !parentFacts) throw new MethodFault('FileNotFound', { file: backing.parent.fileName });
  const capacityBytes = requestedCapacity(asDisk(change)) || parentFacts?.capacityBytes || 0;
  checkCapacity(change, capacityBytes, parentFacts?.capacityBytes ?? 1);
  draft.prepare.push({
    kind: 'createDisk',
    path,
    deviceKey: place.key,
    capacityBytes,
    provisioning: provisioningOf(backing),
    adapter: adapterOf(place, draft),
    uuid: /^[0-9a-f-]{36}$/i.test(backing.uuid ?? '') ? (backing.uuid ?? '') : newDiskUuid(env.random),
    contentId: token(env.random, 16),
    replace,
    ...(parent === undefined ? {} : { parent }),
  });
  return capacityBytes;
}

function attachDisk(change: DeviceChange, draft: DeviceDraft, path: string, place: PlacedDrive): number {
  const facts = draft.settings.env.findDisk(path);
  if (!facts) throw new MethodFault('FileNotFound', { file: path });
  const wanted = requestedCapacity(asDisk(change));
  if (wanted > facts.capacityBytes) {
    checkCapacity(change, wanted, facts.capacityBytes);
    draft.prepare.push({ kind: 'growDisk', path, deviceKey: place.key, capacityBytes: wanted });
    return wanted;
  }
  return facts.capacityBytes;
}

/** capacityInBytes counts when it is there (API 5.5 and later), capacityInKB otherwise. Whole sectors. */
function requestedCapacity(device: VirtualDisk): number {
  const bytes = device.capacityInBytes || (device.capacityInKB ?? 0) * 1024;
  return Math.ceil(bytes / 512) * 512;
}

function checkCapacity({ index }: DeviceChange, bytes: number, least: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < least || bytes <= 0 || bytes > MAX_DISK_BYTES) {
    throw deviceFault('InvalidDeviceSpec', index, 'device.capacityInKB');
  }
}

function provisioningOf(backing: VirtualDiskFlatVer2BackingInfo): DiskProvisioning {
  if (backing.eagerlyScrub) return 'eagerZeroedThick';
  return backing.thinProvisioned ? 'thin' : 'lazyZeroedThick';
}

function adapterOf({ controllerKey }: PlacedDrive, draft: DeviceDraft): DiskAdapter {
  const controller = draft.find(controllerKey);
  if (isA('VirtualIDEController', controller)) return 'ide';
  if (isA('VirtualBusLogicController', controller)) return 'buslogic';
  return isA('ParaVirtualSCSIController', controller) ? 'pvscsi' : 'lsilogic';
}

function diskSettings(change: DeviceChange, device: VirtualDisk) {
  const io = device.storageIOAllocation;
  const shares = checkShares(io?.shares ?? device.shares, DISK_SHARES, `deviceChange[${change.index}].device.shares`);
  const limit = io?.limit ?? -1;
  if (!Number.isInteger(limit) || limit < -1 || (limit >= 0 && limit < 16)) {
    throw deviceFault('InvalidDeviceSpec', change.index, 'device.storageIOAllocation.limit');
  }
  return {
    shares,
    storageIOAllocation: make('StorageIOAllocationInfo', { limit, shares, reservation: io?.reservation ?? 0 }),
  };
}

/** Grows, re-labels, moves; the file stays the same one. Shrinking is refused, as in vSphere. */
export function editDisk(change: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  const device = asDisk(change);
  const was = old as VirtualDisk; // the dispatcher compared the types
  const { backing: oldBacking } = was;
  if (!isA('VirtualDiskFlatVer2BackingInfo', oldBacking))
    throw deviceFault('InvalidDeviceSpec', change.index, 'device');
  const backing = device.backing ? flatBacking(change, device) : oldBacking;
  const path = backing.fileName === '' ? oldBacking.fileName : normalizeDatastorePath(backing.fileName);
  if (path !== oldBacking.fileName) throw deviceFault('InvalidDeviceBacking', change.index, 'device.backing.fileName');
  const capacityBytes = editedCapacity(change, device, was, draft);
  draft.remove(old.key);
  const place = movedPlace(change, was, draft);
  draft.add(
    make('VirtualDisk', {
      ...diskSettings(change, { ...was, ...device }),
      ...place,
      backing: {
        ...oldBacking,
        diskMode: diskMode(change, { ...backing, diskMode: backing.diskMode || oldBacking.diskMode }),
        ...(backing.sharing === undefined ? {} : { sharing: backing.sharing }),
        ...(backing.writeThrough === undefined ? {} : { writeThrough: backing.writeThrough }),
      } as VirtualDiskFlatVer2BackingInfo,
      capacityInKB: Math.ceil(capacityBytes / 1024),
      capacityInBytes: capacityBytes,
    }),
    old.key,
  );
}

/**
 * A client that edits a disk sends both capacities back and often changes only one of them: the one that differs counts.
 */
function editedCapacity(change: DeviceChange, device: VirtualDisk, was: VirtualDisk, draft: DeviceDraft): number {
  const before = was.capacityInBytes ?? was.capacityInKB * 1024;
  const candidates = [device.capacityInBytes, device.capacityInKB ? device.capacityInKB * 1024 : undefined];
  const unchanged = [before, was.capacityInKB * 1024, 0, undefined];
  const wanted = candidates.find((bytes) => !unchanged.includes(bytes));
  if (wanted === undefined) return before;
  const bytes = Math.ceil(wanted / 512) * 512;
  checkCapacity(change, bytes, before);
  const backing = was.backing;
  if (isA('VirtualDiskFlatVer2BackingInfo', backing)) {
    if (backing.parent) throw deviceFault('InvalidDeviceSpec', change.index, 'device.capacityInKB');
    const isOn = draft.settings.env.powerState === 'poweredOn';
    draft.prepare.push({
      kind: 'growDisk',
      path: backing.fileName,
      deviceKey: was.key,
      capacityBytes: bytes,
      ...(isOn ? { deviceId: deviceId(was) } : {}),
    });
  }
  return bytes;
}

function movedPlace(change: DeviceChange, was: VirtualDisk, draft: DeviceDraft) {
  const { device } = change;
  const controllerKey = device.controllerKey ? draft.keyOf(device.controllerKey) : was.controllerKey;
  const sameController = controllerKey === was.controllerKey;
  const unitNumber = device.unitNumber ?? (sameController ? was.unitNumber : undefined);
  const kept = { key: was.key, controllerKey: was.controllerKey ?? 0, unitNumber: was.unitNumber ?? 0 };
  if (sameController && unitNumber === was.unitNumber && placeOf(was, draft.devices)) return kept;
  const moved: VirtualDevice = { ...device, ...(controllerKey === undefined ? {} : { controllerKey }) };
  if (unitNumber !== undefined) moved.unitNumber = unitNumber;
  return placeDrive({ ...change, device: moved }, draft, preferred(draft));
}

export function removeDisk(change: DeviceChange, old: VirtualDevice, draft: DeviceDraft): void {
  draft.remove(old.key);
  if (change.fileOperation !== 'destroy' || !isA('VirtualDeviceFileBackingInfo', old.backing)) return;
  draft.cleanup.push({ kind: 'deleteDisk', path: old.backing.fileName });
}
