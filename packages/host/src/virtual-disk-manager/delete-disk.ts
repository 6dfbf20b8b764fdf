// Removes a virtual disk: descriptor and data, and nothing that only looks like it.
import { isFault, MethodFault } from '@vivarium/vim';
import { type Location, locationText, subjectOf } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import { isMissing, isOutOfSpace, withFileFaults } from '../datastore/file-faults.ts';
import { checkNotInUse } from '../datastore/file-use.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { Workshop } from '../datastore/workshop.ts';
import { ownDisk } from './create-disk.ts';
import type { DiskContext } from './place-disk.ts';
import { planUpload } from './uploaded-files.ts';
import { type DiskHead, readDiskHead } from './virtual-disk.ts';

/**
 * Faults: FileNotFound, FileLocked, CannotDeleteFile (`ddb.deletable = "false"`, or the data file of a disk that is there).
 * A file that is no disk at all is removed as what it is.
 */
export async function deleteDisk(context: DiskContext, location: Location): Promise<void> {
  using _lock = ownDisk(context, location);
  const head = await readDiskHead(location);
  const { folder, name } = await location.datastore.openParent(location.path);
  await using _ = folder;
  await withFileFaults(subjectOf(location), async () => {
    const others = await otherFiles(folder, head, location);
    for (const other of others) {
      const { datastore, path } = location;
      checkNotInUse(context.use, `${datastore.absolute(splitPath(path).folder)}/${other}`, locationText(location));
    }
    if (others.length === 0) await checkNoData(folder, name, location);
    await removeTogether(context, folder, name, others);
    await folder.sync();
  });
}

async function otherFiles(folder: FolderHandle, head: DiskHead, location: Location): Promise<string[]> {
  if (head.kind === 'ours') {
    if (head.descriptor.ddb.get('deletable') === 'false') {
      throw new MethodFault('CannotDeleteFile', { file: locationText(location) });
    }
    return [head.data.fileName];
  }
  try {
    const { extents } = await planUpload(folder, head.file, locationText(location));
    return [...new Set(extents.map(({ fileName }) => fileName))].filter((name) => name !== head.file.name);
  } catch (error) {
    if (isFault(error, 'InvalidDiskFormat') || isFault(error, 'FileNotFound')) return [];
    throw error;
  }
}

// `name-flat.vmdk` goes with its disk, unless the disk is gone.
async function checkNoData(folder: FolderHandle, name: string, location: Location): Promise<void> {
  const stem = /^(.+)-(?:flat|delta)\.vmdk$/i.exec(name)?.[1];
  if (stem === undefined) return;
  const hasDescriptor = await folder.stat(`${stem}.vmdk`).then(
    () => true,
    (error: unknown) => !isMissing(error),
  );
  if (hasDescriptor) throw new MethodFault('CannotDeleteFile', { file: locationText(location) });
}

// To remove is possible on a full datastore too, where there may be no room for a note.
async function removeTogether(
  context: DiskContext,
  folder: FolderHandle,
  name: string,
  others: readonly string[],
): Promise<void> {
  try {
    await removeAtOnce(context, folder, name, others);
  } catch (error) {
    if (!isOutOfSpace(error)) throw error;
    // A crash in between leaves a descriptor, which can be removed again, and no data that nothing names.
    await removeAll(folder, [...others, name]);
  }
}

// The descriptor disappears first, into the workshop; the note there lets the sweep finish after a crash.
async function removeAtOnce(
  { random }: DiskContext,
  folder: FolderHandle,
  name: string,
  others: readonly string[],
): Promise<void> {
  await using workshop = await Workshop.open(folder, random);
  const [first] = others;
  if (first !== undefined) await workshop.notePlacing({ data: first, descriptor: name });
  await folder.rename(name, workshop.folder, 'descriptor');
  await removeAll(folder, others);
}

async function removeAll(folder: FolderHandle, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await folder.unlink(name).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}
