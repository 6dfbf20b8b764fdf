// The virtual disks of the host's datastores, by the datastore path of their descriptor: what VMs and the
// VirtualDiskManager do with them. This folder is the one place that knows how a disk lies on a datastore.
import type { Logger, Random } from '@vivarium/base';
import { isFault } from '@vivarium/vim';
import type { DiskFacts } from '@vivarium/vmx';
import { type Datastore, type Location, locationText } from '../datastore/datastore.ts';
import { joinPath, splitPath } from '../datastore/datastore-path.ts';
import type { Datastores } from '../datastore/datastores.ts';
import type { FileUse } from '../datastore/file-use.ts';
import { adoptUpload } from './adopt-upload.ts';
import { type CopyRequest, copyDisk } from './copy-disk.ts';
import { createDisk, type DiskRequest } from './create-disk.ts';
import { deleteDisk } from './delete-disk.ts';
import { DiskExports, type DiskReading } from './disk-exports.ts';
import { findDiskFacts } from './disk-facts.ts';
import type { DiskImages, ImageRun } from './disk-images.ts';
import { DiskLocks } from './disk-locks.ts';
import { findFlatDisk } from './find-flat-disk.ts';
import { growDisk, recordCapacity } from './grow-disk.ts';
import { moveDisk } from './move-disk.ts';
import type { DiskContext } from './place-disk.ts';
import { uncommittedBytes } from './uncommitted.ts';
import { namedExtents } from './uploaded-files.ts';
import { diskChain, readDiskHead, readVirtualDisk, type VirtualDisk } from './virtual-disk.ts';

/** A disk as a VMM opens it. */
export interface OpenDisk {
  /** The data file, absolute. */
  readonly file: string;
  readonly format: 'qcow2' | 'raw';
  /** Data files below it, nearest first. */
  readonly backing: readonly { readonly file: string; readonly format: 'qcow2' | 'raw' }[];
}

/** What PrepareEffect<'createDisk'> asks for. */
export interface NewDisk extends Omit<DiskRequest, 'parent'> {
  /** Datastore path of the descriptor. */
  readonly path: string;
  /** Datastore path of the disk below. */
  readonly parent?: string;
}

export interface FlatReading extends DiskReading {
  readonly disk: VirtualDisk;
}

export interface VirtualDisksOptions {
  readonly datastores: Datastores;
  readonly images: DiskImages;
  readonly use: FileUse;
  readonly random: Random;
  readonly log: Logger;
}

export class VirtualDisks {
  /** For the operations that only the VirtualDiskManager offers. */
  readonly context: DiskContext;
  readonly exports: DiskExports;
  readonly #log: Logger;

  constructor({ log, ...rest }: VirtualDisksOptions) {
    this.context = { ...rest, locks: new DiskLocks() };
    this.exports = new DiskExports(this.context);
    this.#log = log;
  }

  /**
   * Opens a disk for a VMM. A foreign VMDK becomes one of ours first. Faults: FileNotFound, InvalidDiskFormat, FileLocked
   * (somebody copies or changes it), NoDiskSpace.
   */
  async open(path: string, run: ImageRun = {}): Promise<OpenDisk> {
    const location = this.#locate(path);
    if ((await readDiskHead(location)).kind === 'foreign') {
      await adoptUpload(this.context, location, run);
      this.#log.info({ disk: path }, 'made an uploaded disk ours');
    }
    const disk = await readVirtualDisk(this.context.datastores, location);
    for (const link of diskChain(disk)) this.#checkFree(link.location);
    if (disk.data.capacityBytes > disk.facts.capacityBytes) {
      await recordCapacity(this.context, location, disk.data.capacityBytes);
      this.#log.warn({ disk: path }, 'finished an interrupted growing of a disk');
    }
    const [first, ...backing] = diskChain(disk).map(({ data }) => ({ file: absoluteData(data), format: data.format }));
    if (!first) throw new Error('a disk is part of its own chain');
    return { ...first, backing };
  }

  /** Reads a disk that is ours, with what is below it. */
  read(path: string): Promise<VirtualDisk> {
    return readVirtualDisk(this.context.datastores, this.#locate(path));
  }

  /** For the pure translators; see disk-facts.ts. */
  findDisk(path: string): DiskFacts | undefined {
    return findDiskFacts(this.context.datastores, path);
  }

  create({ path, parent, ...request }: NewDisk, run: ImageRun = {}): Promise<void> {
    const below = parent === undefined ? {} : { parent: this.#locate(parent) };
    return createDisk(this.context, this.#locate(path), { ...request, ...below }, run);
  }

  copy(from: string, to: string, request: CopyRequest, run: ImageRun = {}): Promise<void> {
    return copyDisk(this.context, this.#locate(from), this.#locate(to), request, run);
  }

  move(from: string, to: string, force: boolean, run: ImageRun = {}): Promise<void> {
    return moveDisk(this.context, this.#locate(from), this.#locate(to), force, run);
  }

  /** Of a disk that no running VM uses. */
  grow(path: string, capacityBytes: number, run: ImageRun = {}): Promise<void> {
    return growDisk(this.context, this.#locate(path), capacityBytes, false, run);
  }

  /** After a running VM's own block_resize. */
  recordCapacity(path: string, capacityBytes: number): Promise<void> {
    return recordCapacity(this.context, this.#locate(path), capacityBytes);
  }

  /** Descriptor and data; no error when it is gone already. */
  async remove(path: string): Promise<void> {
    try {
      await deleteDisk(this.context, this.#locate(path));
    } catch (error) {
      if (!isFault(error, 'FileNotFound')) throw error;
    }
  }

  /**
   * The raw content behind a flat file that a thin disk's descriptor names but does not have; undefined when `place` is no
   * such file. Faults: FileLocked while a VM runs on it.
   */
  async openFlat(place: Location): Promise<FlatReading | undefined> {
    const disk = await findFlatDisk(this.context.datastores, place);
    return disk && { disk, ...(await this.exports.open(disk)) };
  }

  /** Every file of the disk itself (not of the disks below it), absolute; the descriptor first. */
  async files(path: string): Promise<readonly string[]> {
    const location = this.#locate(path);
    const head = await readDiskHead(location);
    const { folder } = splitPath(location.path);
    const others = head.kind === 'ours' ? [head.data.fileName] : namedExtents(head.file);
    const paths = [location.path, ...others.map((name) => joinPath(folder, name))];
    return paths.map((file) => location.datastore.absolute(file));
  }

  /** What the thin disks of a datastore may still grow by, in bytes. */
  uncommitted(datastore: Datastore): Promise<number> {
    return uncommittedBytes(datastore);
  }

  #locate(path: string): Location {
    return this.context.datastores.locate(path);
  }

  #checkFree(location: Location): void {
    this.context.locks.checkFree(location.datastore.absolute(location.path), locationText(location));
  }
}

function absoluteData({ location }: VirtualDisk['data']): string {
  return location.datastore.absolute(location.path);
}
