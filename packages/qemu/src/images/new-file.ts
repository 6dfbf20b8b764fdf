// A file that appears under its name when it is whole and on disk, or not at all.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '@vivarium/base/node';

export interface NewFile {
  readonly path: string;
  /** As root: who gets the finished file; absent = root. */
  readonly ownerUid?: number;
  /** As root: under which uid `fill` writes it. */
  readonly writerUid: number;
}

const UNFINISHED = /^\..+\.[0-9a-f]{16}\.part$/;

/**
 * Makes an empty temporary file beside `path`, lets `fill` write it, and names it. Errors: those of `fill`; EEXIST when there
 * is a file of that name, which is left alone; nothing half-made stays, unless this process is killed: see
 * {@link removeUnfinishedFiles}.
 */
export async function writeNewFile(file: NewFile, fill: (temporary: string) => Promise<void>): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const temporary = join(dirname(file.path), `.${basename(file.path)}.${randomBytes(8).toString('hex')}.part`);
  const isRoot = process.getuid?.() === 0;
  await withFile(temporary, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, async (handle) => {
    undo.defer(() => rm(temporary, { force: true }));
    if (isRoot) await handle.chown(file.writerUid, file.writerUid);
  });
  await fill(temporary);
  await withFile(temporary, constants.O_RDWR | constants.O_NOFOLLOW, async (handle) => {
    if (isRoot) await handle.chown(file.ownerUid ?? 0, file.ownerUid ?? 0);
    await handle.sync();
  });
  await giveName(temporary, file.path);
  undo.move();
  await syncDirectory(dirname(file.path));
}

/** Unlike rename, link does not replace. File systems without hard links get a rename after a look. */
async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
    await rm(temporary);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error;
    await withFile(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, async () => undefined);
    await rename(temporary, path);
  }
}

async function withFile(path: string, flags: number, use: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    await use(handle);
  } finally {
    await handle.close();
  }
}

/** Removes what killed writers left in a folder. Only when nobody is writing there. */
export async function removeUnfinishedFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => UNFINISHED.test(name));
  for (const name of names) await rm(join(folder, name), { force: true });
  return names;
}
