// Copies the content of an open file: as a clone where the file system can (instant, no room), else piece by piece, with
// progress and a way to stop. Pieces of zeroes become holes.
import { constants } from 'node:fs';
import { copyFile, type FileHandle } from 'node:fs/promises';

const PIECE_BYTES = 2 * 1024 * 1024;

export interface CopyRun {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes done since the last call. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** `target` is empty and open for writing. Returns when its content is on disk. */
export async function copyBytes(source: FileHandle, target: FileHandle, run: CopyRun = {}): Promise<void> {
  const { size } = await source.stat();
  if (await clone(source, target)) run.onBytes?.(size);
  else await copyPieces(source, target, size, run);
  await target.sync();
}

async function clone(source: FileHandle, target: FileHandle): Promise<boolean> {
  try {
    await copyFile(`/proc/self/fd/${source.fd}`, `/proc/self/fd/${target.fd}`, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false; // most file systems cannot; whatever else it is, the pieces will meet it too
  }
}

async function copyPieces(source: FileHandle, target: FileHandle, size: number, run: CopyRun): Promise<void> {
  const piece = Buffer.alloc(PIECE_BYTES);
  const zeroes = Buffer.alloc(PIECE_BYTES);
  for (let position = 0; position < size; ) {
    run.signal?.throwIfAborted();
    const { bytesRead } = await source.read(piece, 0, PIECE_BYTES, position);
    if (bytesRead === 0) break; // it became shorter meanwhile
    const bytes = piece.subarray(0, bytesRead);
    if (!bytes.equals(zeroes.subarray(0, bytesRead))) await writeAll(target, bytes, position);
    position += bytesRead;
    run.onBytes?.(bytesRead);
  }
  await target.truncate(size);
}

async function writeAll(target: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await target.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
