// Puts a disk in its place: data file and descriptor are made in a workshop and appear together, whole and durable, or not
// at all; see workshop.ts for how a crash in between is settled.
import { chmod, chown } from 'node:fs/promises';
import type { Random } from '@vivarium/base';
import { type DataFile, dataFileOf, formatVmdkDescriptor, type VmdkDescriptor } from '@vivarium/vmx';
import { type Location, subjectOf } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import type { Datastores } from '../datastore/datastores.ts';
import { isMissing, withFileFaults } from '../datastore/file-faults.ts';
import type { FileUse } from '../datastore/file-use.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { Workshop } from '../datastore/workshop.ts';
import type { DiskImages, ImageFile } from './disk-images.ts';
import type { DiskLocks } from './disk-locks.ts';

/** What every operation on disks works with. */
export interface DiskContext {
  readonly datastores: Datastores;
  readonly images: DiskImages;
  readonly random: Random;
  readonly locks: DiskLocks;
  readonly use: FileUse;
}

export interface DiskPlacement {
  readonly location: Location;
  readonly descriptor: VmdkDescriptor;
  /** Makes the data file's content in the workshop. */
  readonly fill: (target: ImageFile) => Promise<void>;
  /**
   * What of the names may be written over. `data` alone is for a data file without a descriptor, which a crash or a user
   * left behind.
   */
  readonly replace: 'nothing' | 'data' | 'both';
}

/** Names in a workshop. */
const DATA = 'data';
export const DESCRIPTOR = 'descriptor';

/** Makes and places a disk. Faults are about the descriptor: FileAlreadyExists, NoDiskSpace, FileNotFound (no folder) … */
export async function placeDisk(context: DiskContext, placement: DiskPlacement): Promise<void> {
  const { location, descriptor, fill, replace } = placement;
  const { folder, name } = await location.datastore.openParent(location.path);
  await using _ = folder;
  await withFileFaults(subjectOf(location), async () => {
    if (replace === 'nothing') await checkAbsent(folder, name);
    await using workshop = await Workshop.open(folder, context.random);
    const data = dataFileOf(descriptor);
    await fill(workshopImage(workshop, location, data.format));
    await settleData(workshop);
    await workshop.write(DESCRIPTOR, formatVmdkDescriptor(descriptor));
    await workshop.notePlacing({ data: data.fileName, descriptor: name });
    try {
      await workshop.place(DATA, data.fileName, replace !== 'nothing');
      await workshop.place(DESCRIPTOR, name, replace === 'both');
    } catch (error) {
      if (replace === 'nothing') await takeBack(workshop, data.fileName, error);
      throw error;
    }
    await folder.sync();
  });
}

/** Replaces the text of a descriptor. */
export async function writeDescriptor(context: DiskContext, location: Location, next: VmdkDescriptor): Promise<void> {
  const { folder, name } = await location.datastore.openParent(location.path);
  await using _ = folder;
  await withFileFaults(subjectOf(location), async () => {
    await using workshop = await Workshop.open(folder, context.random);
    await workshop.write(DESCRIPTOR, formatVmdkDescriptor(next));
    await workshop.place(DESCRIPTOR, name, true);
    await folder.sync();
  });
}

/** An open folder as programs find it: programs of root by its descriptor, whatever becomes of its name; others by name. */
export function programFolder(folder: FolderHandle, absolute: string): string {
  return process.getuid?.() === 0 ? folder.pathForPrograms : absolute;
}

function workshopImage(workshop: Workshop, { datastore, path }: Location, format: DataFile['format']): ImageFile {
  const absolute = `${datastore.absolute(splitPath(path).folder)}/${workshop.name}`;
  return { folder: programFolder(workshop.folder, absolute), name: DATA, format };
}

// The file becomes one of the folder's: readable for the image program, owned by whom the folder is owned by, on disk.
async function settleData(workshop: Workshop): Promise<void> {
  const path = workshop.folder.at(DATA);
  const { uid, gid } = await workshop.target.stat('.');
  if (process.getuid?.() === 0) await chown(path, uid, gid);
  await chmod(path, 0o644);
  const handle = await workshop.folder.file(DATA, 0);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Throws EEXIST. */
export async function checkAbsent(folder: FolderHandle, name: string): Promise<void> {
  try {
    await folder.stat(name);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  throw Object.assign(new Error(`exists: ${name}`), { code: 'EEXIST' });
}

// The descriptor's name was taken in the meantime: the data file that was placed a moment ago is nobody's.
async function takeBack(workshop: Workshop, data: string, cause: unknown): Promise<void> {
  const isPlaced = await workshop.folder.stat(DATA).then(
    () => false,
    (error: unknown) => isMissing(error),
  );
  if (isPlaced && cause instanceof Error) await workshop.target.unlink(data);
}
