// Makes empty virtual disks.
import { MethodFault } from '@vivarium/vim';
import { type DiskAdapter, type DiskProvisioning, MAX_DISK_BYTES } from '@vivarium/vmx';
import { type Location, locationText, subjectOf } from '../datastore/datastore.ts';
import { invalidPath, splitPath } from '../datastore/datastore-path.ts';
import { checkNotInUse } from '../datastore/file-use.ts';
import type { ImageRun } from './disk-images.ts';
import { makeDescriptor, preallocationOf } from './make-descriptor.ts';
import { type DiskContext, placeDisk } from './place-disk.ts';
import { parentHint, readVirtualDisk } from './virtual-disk.ts';

export interface DiskRequest {
  /** A multiple of 512. */
  readonly capacityBytes: number;
  readonly provisioning: DiskProvisioning;
  readonly adapter: DiskAdapter;
  /** API spelling; a new one when absent or ''. */
  readonly uuid?: string;
  /** 32 hex digits, the last 8 become the CID; new ones when absent. */
  readonly contentId?: string;
  /** Whether the disk that has the name may be written over. */
  readonly replace?: boolean;
  /** The disk below: the new one starts with its content. */
  readonly parent?: Location;
}

/** Faults: FileAlreadyExists, FileNotFound (no folder), NoDiskSpace, InvalidArgument (capacity), InvalidDatastorePath (name). */
export async function createDisk(
  context: DiskContext,
  location: Location,
  request: DiskRequest,
  run: ImageRun = {},
): Promise<void> {
  const { capacityBytes, provisioning, adapter, uuid } = request;
  const fileName = checkDiskName(location);
  checkCapacity(capacityBytes);
  using _lock = ownDisk(context, location);
  const parent = request.parent && (await readVirtualDisk(context.datastores, request.parent));
  if (!parent && provisioning !== 'thin') await checkRoom(location, capacityBytes);
  const descriptor = makeDescriptor(context.random, {
    fileName,
    capacityBytes: parent ? parent.facts.capacityBytes : capacityBytes,
    provisioning: parent ? 'thin' : provisioning,
    adapter,
    uuid,
    longContentId: request.contentId,
    parent: parent && { contentId: parent.descriptor.cid, fileNameHint: parentHint(location, parent.location) },
  });
  await placeDisk(context, {
    location,
    descriptor,
    replace: request.replace ? 'both' : 'nothing',
    fill: (target) =>
      context.images.create(
        target,
        capacityBytes,
        target.format === 'raw' ? preallocationOf(provisioning) : 'off',
        run,
      ),
  });
}

/** The descriptor's own name. A disk's name ends in `.vmdk`, and is not one that another disk's data may bear. */
export function checkDiskName(location: Location): string {
  const { name } = splitPath(location.path);
  if (!/[^.].*\.vmdk$/i.test(name) || /-(flat|delta)\.vmdk$/i.test(name)) throw invalidPath(locationText(location));
  return name;
}

/** Throws InvalidArgument. */
export function checkCapacity(capacityBytes: number): void {
  const isPossible = Number.isSafeInteger(capacityBytes) && capacityBytes > 0 && capacityBytes <= MAX_DISK_BYTES;
  if (!isPossible || capacityBytes % 512 !== 0)
    throw new MethodFault('InvalidArgument', { invalidProperty: 'capacityKb' });
}

/** Throws NoDiskSpace before anything is written: what is reserved block by block would otherwise fail late. */
export async function checkRoom(location: Location, bytes: number): Promise<void> {
  const { freeBytes } = await location.datastore.space.refresh();
  if (bytes > freeBytes) throw new MethodFault('NoDiskSpace', subjectOf(location));
}

/** Holds the disk's name for a change; throws FileLocked when somebody works on it or a running VM uses it. */
export function ownDisk({ locks, use }: Pick<DiskContext, 'locks' | 'use'>, location: Location): Disposable {
  const absolute = location.datastore.absolute(location.path);
  checkNotInUse(use, absolute, locationText(location));
  return locks.own(absolute, locationText(location));
}
