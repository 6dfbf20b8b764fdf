// Hard disks of a VMX: scsi0:0, sata0:0, nvme0:0, ide0:0. The VMX names the descriptor; size, thinness and identity are the
// descriptor's and come in as DiskFacts.
import {
  isA,
  make,
  type SharesLevel,
  type VirtualDevice,
  type VirtualDisk,
  type VirtualDiskFlatVer2BackingInfo,
} from '@vivarium/vim';
import { placeOf } from '../../device/drive-bus.ts';
import type { VmxFile } from '../../text/vmx-file.ts';
import { datastoreRefOf, pathFromVmx, pathToVmx } from '../datastore-path.ts';
import type { DeviceFamily, ReadContext } from '../device-context.ts';
import { readShares, writeShares } from '../shares.ts';
import { readFlag, readInteger, readText, readWord, write } from '../vmx-values.ts';
import { cdromTypes } from './cdroms.ts';
import { type DriveEntry, presentDrives } from './present-drives.ts';

export const diskModes = [
  'persistent',
  'nonpersistent',
  'undoable',
  'independent_persistent',
  'independent_nonpersistent',
  'append',
] as const;
export type DiskMode = (typeof diskModes)[number];

export const DISK_SHARES: Readonly<Record<Exclude<SharesLevel, 'custom'>, number>> = {
  low: 500,
  normal: 1000,
  high: 2000,
};

/** A snapshot chain longer than vSphere's 32 levels is damage or a loop. */
const MAX_CHAIN = 33;

const deviceTypes = { scsi: 'scsi-hardDisk', sata: 'disk', ide: 'disk', nvme: undefined } as const;

export const disks: DeviceFamily = {
  keys: /^((scsi|sata|nvme|ide)\d+:\d+\.(present|filename|devicetype|mode|writethrough|sharing|redo)|sched\.(scsi|sata|nvme|ide)\d+:\d+\.(shares|throughputcap|reservation))$/,

  read(vmx, context) {
    return presentDrives(vmx)
      .filter(({ prefix }) => readWord(vmx, `${prefix}.deviceType`, [...cdromTypes, 'scsi-passthru']) === undefined)
      .map((entry) => readDisk(vmx, entry, context));
  },

  write(vmx, devices, vmPathName) {
    for (const disk of devices) {
      if (isA('VirtualDisk', disk)) writeDisk(vmx, disk, devices, vmPathName);
    }
  },
};

function readDisk(vmx: VmxFile, { prefix, place, key, controllerKey }: DriveEntry, context: ReadContext): VirtualDisk {
  const fileName = pathFromVmx(readText(vmx, `${prefix}.fileName`) ?? '', context.vmPathName, context.datastores);
  const mode = (readText(vmx, `${prefix}.mode`) ?? 'persistent').toLowerCase().replace('-', '_');
  const sharing = readWord(vmx, `${prefix}.sharing`, ['none', 'multi-writer']);
  const capacityInBytes = context.findDisk(fileName)?.capacityBytes ?? 0;
  const shares = readShares(vmx, `sched.${prefix}.shares`, DISK_SHARES);
  return make('VirtualDisk', {
    key,
    backing: diskBacking(fileName, context, {
      diskMode: diskModes.find((known) => known === mode) ?? 'persistent',
      writeThrough: readFlag(vmx, `${prefix}.writeThrough`) ?? false,
      sharing: sharing === 'multi-writer' ? 'sharingMultiWriter' : 'sharingNone',
    }),
    controllerKey,
    unitNumber: place.unit,
    capacityInKB: Math.ceil(capacityInBytes / 1024),
    capacityInBytes,
    shares,
    storageIOAllocation: make('StorageIOAllocationInfo', {
      limit: readThroughputCap(vmx, prefix),
      shares,
      reservation: readInteger(vmx, `sched.${prefix}.reservation`) ?? 0,
    }),
    nativeUnmanagedLinkedClone: false,
  });
}

function diskBacking(
  fileName: string,
  context: ReadContext,
  settings: { diskMode: DiskMode; writeThrough?: boolean; sharing?: string },
  depth = 0,
): VirtualDiskFlatVer2BackingInfo {
  const facts = context.findDisk(fileName);
  const parent = facts?.parent;
  return make('VirtualDiskFlatVer2BackingInfo', {
    fileName,
    datastore: datastoreRefOf(fileName, context.datastores),
    ...settings,
    split: false,
    thinProvisioned: facts?.provisioning === 'thin',
    eagerlyScrub: facts?.provisioning === 'eagerZeroedThick' ? true : undefined,
    uuid: facts?.uuid,
    contentId: facts?.contentId,
    parent:
      parent === undefined || depth >= MAX_CHAIN
        ? undefined
        : diskBacking(parent, context, { diskMode: settings.diskMode }, depth + 1),
    deltaDiskFormat: parent === undefined ? undefined : 'redoLogFormat',
    digestEnabled: false,
  });
}

/** `500`, `500IOps`, or `off`. -1 = no limit. */
function readThroughputCap(vmx: VmxFile, prefix: string): number {
  const match = /^(\d{1,9})(iops)?$/i.exec(readText(vmx, `sched.${prefix}.throughputCap`)?.trim() ?? '');
  return match?.[1] === undefined ? -1 : Number(match[1]);
}

function writeDisk(vmx: VmxFile, disk: VirtualDisk, devices: readonly VirtualDevice[], vmPathName: string): void {
  const place = placeOf(disk, devices);
  const { backing } = disk;
  if (!place || !isA('VirtualDeviceFileBackingInfo', backing)) return;
  const prefix = `${place.bus.name}${place.busNumber}:${place.unit}`;
  write(vmx, `${prefix}.present`, true);
  write(vmx, `${prefix}.fileName`, pathToVmx(backing.fileName, vmPathName));
  write(vmx, `${prefix}.deviceType`, deviceTypes[place.bus.name]);
  const flat = isA('VirtualDiskFlatVer2BackingInfo', backing) ? backing : undefined;
  write(vmx, `${prefix}.mode`, flat?.diskMode.replace('_', '-'), 'persistent');
  write(vmx, `${prefix}.writeThrough`, flat?.writeThrough, false);
  write(vmx, `${prefix}.sharing`, flat?.sharing === 'sharingMultiWriter' ? 'multi-writer' : undefined);
  const io = disk.storageIOAllocation;
  writeShares(vmx, `sched.${prefix}.shares`, io?.shares ?? disk.shares);
  write(vmx, `sched.${prefix}.throughputCap`, io?.limit !== undefined && io.limit >= 0 ? `${io.limit}IOps` : undefined);
  write(vmx, `sched.${prefix}.reservation`, io?.reservation, 0);
}
