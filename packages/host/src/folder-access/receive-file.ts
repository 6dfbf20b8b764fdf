// Takes a file from the network into a datastore: into a hidden place first, under its name only when all of it has come
// and is on disk.
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Random } from '@vivarium/base';
import { MethodFault } from '@vivarium/vim';
import { TransferBroken } from '@vivarium/vmomi';
import { type Location, locationText, subjectOf } from '../datastore/datastore.ts';
import { isMissing, withFileFaults } from '../datastore/file-faults.ts';
import { checkNotInUse, type FileUse } from '../datastore/file-use.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { Workshop } from '../datastore/workshop.ts';

/** A body on its way to a file. */
export interface Incoming {
  readonly body: Readable;
  /** What the sender announced, if it did. */
  readonly lengthBytes?: number | undefined;
  /** Told after every piece. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

export interface Reception extends Incoming {
  readonly random: Random;
  readonly use: FileUse;
  readonly mayReplace: boolean;
}

/**
 * Returns whether the file is a new one. Faults: FileNotFound (no such folder), FileAlreadyExists, NotAFile, FileLocked,
 * NoDiskSpace. Throws TransferBroken when the body ends early.
 */
export async function receiveFile(place: Location, reception: Reception): Promise<boolean> {
  const { datastore, path } = place;
  const { lengthBytes, mayReplace } = reception;
  checkNotInUse(reception.use, datastore.absolute(path), locationText(place));
  const { folder, name } = await datastore.openParent(path);
  await using _ = folder;
  return await withFileFaults(subjectOf(place), async () => {
    const isNew = await checkTarget(folder, name, place, mayReplace);
    const { freeBytes } = await datastore.space.refresh();
    if (lengthBytes !== undefined && lengthBytes > freeBytes) throw new MethodFault('NoDiskSpace', subjectOf(place));
    await using workshop = await Workshop.open(folder, reception.random);
    const handle = await workshop.folder.file(
      'upload',
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
      0o644,
    );
    try {
      await writeBody(handle, reception);
      await handle.sync();
    } finally {
      await handle.close();
    }
    checkNotInUse(reception.use, datastore.absolute(path), locationText(place)); // a VM may have started meanwhile
    await workshop.place('upload', name, mayReplace);
    await folder.sync();
    return isNew;
  });
}

async function checkTarget(folder: FolderHandle, name: string, place: Location, mayReplace: boolean): Promise<boolean> {
  try {
    if (!(await folder.stat(name)).isFile()) throw new MethodFault('NotAFile', { file: locationText(place) });
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
  if (!mayReplace) throw new MethodFault('FileAlreadyExists', { file: locationText(place) });
  return false;
}

/** Writes all of the body; throws TransferBroken when it is not what was announced. */
export async function writeBody(handle: FileHandle, { body, lengthBytes, onBytes }: Incoming): Promise<void> {
  let position = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, position + done);
        done += bytesWritten;
      }
      position += chunk.length;
      onBytes?.(chunk.length);
    }
  } catch (error) {
    if (body.errored) throw new TransferBroken('the sender went away', { cause: error });
    throw error;
  }
  if (lengthBytes !== undefined && position !== lengthBytes) {
    throw new TransferBroken(`${position} of ${lengthBytes} bytes came`);
  }
}
