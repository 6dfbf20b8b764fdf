// Lets a jailed tool, which runs under another uid, read or write a file for a while.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ImageRefusedError } from './image-error.ts';

/**
 * As root: gives `path` to `uid` unless that may do it already; dispose to give it back. Symbolic links, special files and
 * files with a second name are refused: they could stand for a file of somebody else. As an ordinary user only this check
 * is made, because tools run under the same uid.
 */
export async function lendFile(path: string, uid: number, access: 'read' | 'write'): Promise<AsyncDisposable> {
  const handle = await openPlain(path);
  try {
    const { uid: owner, gid, mode, nlink } = await handle.stat();
    if (nlink > 1) throw new ImageRefusedError(`${path} has a second name`);
    const isEnough = owner === uid || (access === 'read' && (mode & 0o004) !== 0);
    if (process.getuid?.() !== 0 || isEnough) {
      await handle.close();
      return { [Symbol.asyncDispose]: async () => undefined };
    }
    await handle.chown(uid, gid);
    return {
      async [Symbol.asyncDispose]() {
        try {
          await handle.chown(owner, gid);
        } finally {
          await handle.close();
        }
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openPlain(path: string): Promise<FileHandle> {
  // Non-blocking, so that a pipe put in the file's place cannot hold us up.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((cause) => {
    if (cause.code === 'ELOOP') throw new ImageRefusedError(`${path} is a symbolic link`, { cause });
    throw cause;
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new ImageRefusedError(`${path} is not a file`);
}
