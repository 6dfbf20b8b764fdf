// Facts of a disk for the pure translators, which ask while they work and cannot wait: reads small files on the spot.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { isFault, type MethodFault } from '@vivarium/vim';
import { checkUpload, type DiskFacts, diskFactsOf, type UploadedFile } from '@vivarium/vmx';
import { type Location, locationText } from '../datastore/datastore.ts';
import { joinPath, splitPath } from '../datastore/datastore-path.ts';
import type { Datastores } from '../datastore/datastores.ts';
import { diskHead, parentOf } from './virtual-disk.ts';

const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 1536;

/** `undefined` when there is no disk at this datastore path, or none that can be used. A foreign VMDK is told as the disk it becomes. */
export function findDiskFacts(datastores: Datastores, text: string): DiskFacts | undefined {
  try {
    const location = datastores.locate(text);
    const file = readSyncQuietly(location, splitPath(location.path).name);
    if (!file) return undefined;
    const head = diskHead(file);
    if (head.kind === 'foreign') return uploadFacts(location, file);
    const parent = parentOf(datastores, location, head.descriptor);
    return diskFactsOf(head.descriptor, parent && locationText(parent));
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

function uploadFacts(location: Location, file: UploadedFile): DiskFacts | undefined {
  const plan = checkUpload(file, (name) => readSyncQuietly(location, name));
  if (plan.kind === 'refused') return undefined;
  return { ...diskFactsOf(plan.descriptor), capacityBytes: plan.capacityBytes, provisioning: 'thin' };
}

// A regular file beside the location; undefined for anything else.
function readSyncQuietly({ datastore, path }: Location, name: string): UploadedFile | undefined {
  const place = datastore.absolute(joinPath(splitPath(path).folder, name));
  let file: number;
  try {
    file = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const what = fstatSync(file);
    if (!what.isFile()) return undefined;
    const read = (position: number, length: number): Uint8Array => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, position));
    };
    return {
      name,
      sizeBytes: what.size,
      head: read(0, Math.min(HEAD_BYTES, what.size)),
      tail: read(Math.max(0, what.size - TAIL_BYTES), Math.min(TAIL_BYTES, what.size)),
    };
  } finally {
    closeSync(file);
  }
}

function isRefusal(error: unknown): error is MethodFault {
  return isFault(error, 'InvalidDatastorePath') || isFault(error, 'InvalidDiskFormat');
}
