// A virtual disk as it lies on a datastore: a descriptor, the data file that it names, and the disks below it. Reads and
// judges; changes nothing. The form itself is the vmx package's (data-file.ts, format-descriptor.ts).
import { constants } from 'node:fs';
import { isFault, MethodFault } from '@vivarium/vim';
import {
  type DataFile,
  type DiskFacts,
  dataFileOf,
  diskFactsOf,
  inspectVmdkHeader,
  parseVmdkDescriptor,
  type UploadedFile,
  type VmdkDescriptor,
  VmdkSyntaxError,
} from '@vivarium/vmx';
import { type Location, locationText, subjectOf } from '../datastore/datastore.ts';
import { isHiddenName, joinPath, splitPath } from '../datastore/datastore-path.ts';
import type { Datastores } from '../datastore/datastores.ts';
import { withFileFaults } from '../datastore/file-faults.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { inspectQcow2Header, QCOW2_HEADER_BYTES, Qcow2Refused } from './qcow2-header.ts';
import { readUploadedFile } from './uploaded-files.ts';

/** As many as vSphere allows snapshots in a chain. */
const MAX_CHAIN = 32;
const NO_PARENT = 'ffffffff';

export interface VirtualDisk {
  /** Of the descriptor. */
  readonly location: Location;
  readonly descriptor: VmdkDescriptor;
  readonly facts: DiskFacts;
  readonly data: DataFile & {
    readonly location: Location;
    /** What it takes on the datastore. */
    readonly allocatedBytes: number;
    readonly modified: Date;
    /** The guest's view, as the data file itself says; larger than the descriptor's when growing was interrupted. */
    readonly capacityBytes: number;
  };
  readonly parent?: VirtualDisk;
}

export type DiskHead =
  | { readonly kind: 'ours'; readonly descriptor: VmdkDescriptor; readonly data: DataFile }
  /** Not used in place: a foreign VMDK, or no disk at all. checkUpload tells. */
  | { readonly kind: 'foreign'; readonly file: UploadedFile };

/** Says from its first bytes whether a file is the descriptor of a disk that is used in place. Pure. */
export function diskHead(file: UploadedFile): DiskHead {
  if (inspectVmdkHeader(file.head).kind !== 'descriptor' || file.head.length < file.sizeBytes) {
    return { kind: 'foreign', file };
  }
  try {
    const descriptor = parseVmdkDescriptor(file.head);
    const data = dataFileOf(descriptor);
    const isEncrypted = Array.from(descriptor.other.keys()).some((key) => /^(encryption|crypto|keysafe)/i.test(key));
    if (isHiddenName(data.fileName) || isEncrypted) return { kind: 'foreign', file }; // checkUpload says why not
    return { kind: 'ours', descriptor, data };
  } catch (error) {
    if (error instanceof VmdkSyntaxError) return { kind: 'foreign', file };
    throw error;
  }
}

/** Reads the head of the file at `location`. Faults: FileNotFound, NotAFile, CannotAccessFile … */
export async function readDiskHead(location: Location): Promise<DiskHead> {
  const { folder, name } = await location.datastore.openParent(location.path);
  await using _ = folder;
  return diskHead(await withFileFaults(subjectOf(location), () => readUploadedFile(folder, name)));
}

/**
 * Reads a disk that is used in place, with all that is below it. Faults: FileNotFound (also for a data file that is
 * missing), InvalidDiskFormat (foreign, damaged, or a chain that does not fit together).
 */
export async function readVirtualDisk(datastores: Datastores, location: Location, depth = 0): Promise<VirtualDisk> {
  const head = await readDiskHead(location);
  if (head.kind === 'foreign') throw badDisk(location, 'not a disk that can be used in place');
  const { descriptor, data } = head;
  const parentLocation = parentOf(datastores, location, descriptor);
  if (parentLocation && depth >= MAX_CHAIN) throw badDisk(location, `more than ${MAX_CHAIN} disks in a chain`);
  const parent = parentLocation && (await readVirtualDisk(datastores, parentLocation, depth + 1));
  if (parent && parent.descriptor.cid !== descriptor.parentCid) {
    throw badDisk(location, 'the parent was changed since this disk was made from it');
  }
  const facts = diskFactsOf(descriptor, parent && locationText(parent.location));
  return {
    location,
    descriptor,
    facts,
    data: await readDataFile(location, descriptor, data, facts.capacityBytes),
    ...(parent ? { parent } : {}),
  };
}

/** The disk and those below it, nearest first. */
export function diskChain(disk: VirtualDisk): VirtualDisk[] {
  const chain: VirtualDisk[] = [];
  for (let link: VirtualDisk | undefined = disk; link; link = link.parent) chain.push(link);
  return chain;
}

/** Where the parent's descriptor is; undefined for a disk that stands alone. */
export function parentOf(
  datastores: Pick<Datastores, 'locate'>,
  location: Location,
  descriptor: VmdkDescriptor,
): Location | undefined {
  if (descriptor.parentCid === NO_PARENT) return undefined;
  const hint = descriptor.parentFileNameHint;
  if (!hint) throw badDisk(location, 'the parent is not named');
  try {
    if (hint.startsWith('/')) return datastores.locate(hint);
    return datastores.locate(location.datastore.text(joinPath(splitPath(location.path).folder, hint)));
  } catch (error) {
    throw isFault(error, 'InvalidDatastorePath') ? badDisk(location, 'the parent is not on a datastore') : error;
  }
}

/** How `child` names its parent: the plain name in the same folder, else the volume's path. */
export function parentHint(child: Location, parent: Location): string {
  const place = splitPath(parent.path);
  const isBeside = child.datastore === parent.datastore && place.folder === splitPath(child.path).folder;
  return isBeside ? place.name : `/vmfs/volumes/${parent.datastore.uuid}/${parent.path}`;
}

export function badDisk(location: Location, why: string): MethodFault {
  return new MethodFault('InvalidDiskFormat', {}, `${locationText(location)}: ${why}`);
}

async function readDataFile(
  location: Location,
  descriptor: VmdkDescriptor,
  data: DataFile,
  capacityBytes: number,
): Promise<VirtualDisk['data']> {
  const place = { datastore: location.datastore, path: joinPath(splitPath(location.path).folder, data.fileName) };
  const { folder, name } = await place.datastore.openParent(place.path);
  await using _ = folder;
  return await withFileFaults(subjectOf(place), async () => {
    const { sizeBytes, allocatedBytes, modified, head } = await readHead(folder, name);
    const own = data.format === 'raw' ? sizeBytes : checkQcow2(location, descriptor, head);
    if (own < capacityBytes) throw badDisk(location, 'the data file is smaller than the disk');
    const isLarger = data.format === 'qcow2' && own > capacityBytes;
    return { ...data, location: place, allocatedBytes, modified, capacityBytes: isLarger ? own : capacityBytes };
  });
}

function checkQcow2(location: Location, descriptor: VmdkDescriptor, head: Uint8Array): number {
  try {
    const { capacityBytes, hasBacking } = inspectQcow2Header(head);
    if (hasBacking && descriptor.parentCid === NO_PARENT) throw new Qcow2Refused('an undeclared backing file');
    return capacityBytes;
  } catch (error) {
    throw error instanceof Qcow2Refused ? badDisk(location, error.message) : error;
  }
}

async function readHead(folder: FolderHandle, name: string) {
  const handle = await folder.file(name, constants.O_RDONLY);
  try {
    const { size, blocks, mtime } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(QCOW2_HEADER_BYTES), 0, QCOW2_HEADER_BYTES, 0);
    return { sizeBytes: size, allocatedBytes: blocks * 512, modified: mtime, head: buffer.subarray(0, bytesRead) };
  } finally {
    await handle.close();
  }
}
