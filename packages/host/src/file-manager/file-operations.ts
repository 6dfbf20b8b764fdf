// Making, moving, copying and deleting files and folders of datastores. What replaces or appears does so at once: it is
// made under a hidden name and renamed.
import type { Random } from '@vivarium/base';
import { MethodFault } from '@vivarium/vim';
import { type Location, locationText, subjectOf } from '../datastore/datastore.ts';
import { isWithin } from '../datastore/datastore-path.ts';
import { isMissing, withFileFaults } from '../datastore/file-faults.ts';
import { checkNotInUse, checkReadable, type FileUse } from '../datastore/file-use.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { removeTree } from '../datastore/remove-tree.ts';
import { Workshop } from '../datastore/workshop.ts';
import { copyTree, treeBytes } from './copy-tree.ts';

export interface FileContext {
  readonly random: Random;
  readonly use: FileUse;
}

export interface FileRun {
  readonly signal?: AbortSignal | undefined;
  /** 0 to 100. */
  readonly onProgress?: ((percent: number) => void) | undefined;
}

/** Faults: FileAlreadyExists, FileNotFound (no parent folder). */
export async function makeFolder({ datastore, path }: Location, withParents: boolean): Promise<void> {
  const parts = path.split('/');
  let isNew = false;
  for (const [index, name] of parts.entries()) {
    const isLast = index === parts.length - 1;
    if (!isLast && !withParents) continue;
    const place = { datastore, path: parts.slice(0, index + 1).join('/') };
    const { folder } = await datastore.openParent(place.path);
    await using _ = folder;
    isNew = await withFileFaults(subjectOf(place), () => makeOne(folder, name, isLast));
  }
  if (!isNew) throw new MethodFault('FileAlreadyExists', { file: datastore.text(path) });
}

async function makeOne(folder: FolderHandle, name: string, isLast: boolean): Promise<boolean> {
  try {
    await folder.mkdir(name);
  } catch (error) {
    if (isLast || !(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return false;
  }
  await folder.sync();
  return true;
}

/** Folders with everything below. Faults: FileNotFound, FileLocked, InvalidDatastorePath (the datastore itself). */
export async function deleteFile(context: FileContext, place: Location): Promise<void> {
  checkFree(context, place);
  const { folder, name } = await place.datastore.openParent(place.path);
  await using _ = folder;
  await withFileFaults(subjectOf(place), async () => {
    await folder.stat(name);
    await using workshop = await Workshop.open(folder, context.random);
    await folder.rename(name, workshop.folder, 'deleted');
    await folder.sync(); // from here on it is gone, whatever happens
    await removeTree(workshop.folder, 'deleted');
  });
}

/**
 * Moves a file or folder. An existing file is written over when `force`, an existing folder never. Faults: FileNotFound,
 * FileAlreadyExists, FileLocked, NoDiskSpace (between datastores), InvalidArgument (a folder into itself).
 */
export async function moveFile(
  context: FileContext,
  from: Location,
  to: Location,
  force: boolean,
  run: FileRun = {},
): Promise<void> {
  if (from.datastore === to.datastore && from.path === to.path) return;
  checkFree(context, from);
  checkFree(context, to);
  checkNotInto(from, to);
  if (from.datastore !== to.datastore) {
    await copyFile(context, from, to, force, run);
    await deleteFile(context, from);
    return;
  }
  const { folder: source, name } = await from.datastore.openParent(from.path);
  await using _source = source;
  const { folder: target, name: targetName } = await to.datastore.openParent(to.path);
  await using _target = target;
  const what = await withFileFaults(subjectOf(from), () => source.stat(name));
  await withFileFaults(subjectOf(to), async () => {
    const isReplacing = await checkTarget(target, targetName, to, force && what.isFile());
    if (what.isDirectory() || isReplacing) await source.rename(name, target, targetName);
    else {
      await source.link(name, target, targetName);
      await source.unlink(name);
    }
    await target.sync();
    await source.sync();
  });
}

/** Copies a file or folder. Faults as of moveFile. Nothing half-made is left when it fails or is cancelled. */
export async function copyFile(
  context: FileContext,
  from: Location,
  to: Location,
  force: boolean,
  run: FileRun = {},
): Promise<void> {
  if (from.datastore === to.datastore && from.path === to.path) return;
  checkReadable(context.use, from.datastore.absolute(from.path), locationText(from));
  checkFree(context, to);
  checkNotInto(from, to);
  const { folder: source, name } = await from.datastore.openParent(from.path);
  await using _source = source;
  const { folder: target, name: targetName } = await to.datastore.openParent(to.path);
  await using _target = target;
  const what = await withFileFaults(subjectOf(from), () => source.stat(name));
  await withFileFaults(subjectOf(to), async () => {
    const isReplacing = await checkTarget(target, targetName, to, force && what.isFile());
    const onBytes = await byteProgress(source, name, run);
    await using workshop = await Workshop.open(target, context.random);
    await copyTree(source, name, workshop.folder, 'copy', { signal: run.signal, onBytes });
    if (what.isDirectory()) await workshop.folder.rename('copy', target, targetName);
    else await workshop.place('copy', targetName, isReplacing);
    await target.sync();
  });
}

/** Whether there is a file that may be written over; throws FileAlreadyExists when what is there may not. */
async function checkTarget(folder: FolderHandle, name: string, to: Location, mayReplace: boolean): Promise<boolean> {
  try {
    if (mayReplace && (await folder.stat(name)).isFile()) return true;
    await folder.stat(name);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  throw new MethodFault('FileAlreadyExists', { file: locationText(to) });
}

async function byteProgress(source: FolderHandle, name: string, { onProgress }: FileRun) {
  if (!onProgress) return undefined;
  const all = await treeBytes(source, name);
  let done = 0;
  let told = 0;
  return (bytes: number) => {
    done += bytes;
    const percent = all === 0 ? 0 : Math.min(99, Math.floor((done * 100) / all));
    if (percent > told) onProgress((told = percent));
  };
}

function checkFree({ use }: FileContext, { datastore, path }: Location): void {
  checkNotInUse(use, datastore.absolute(path), datastore.text(path));
}

function checkNotInto(from: Location, to: Location): void {
  if (from.datastore !== to.datastore || !isWithin(to.path, from.path)) return;
  throw new MethodFault('InvalidArgument', { invalidProperty: 'destinationName' });
}
