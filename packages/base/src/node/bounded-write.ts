// A log file that does not grow for ever: when it is full, its lines go to `<file>.1`, where those before them were.
import { copyFileSync, fstatSync, ftruncateSync, readlinkSync, writeSync } from 'node:fs';

const MOST_BYTES = 32 * 1024 * 1024;

/** Writes to the file behind `fd`, which was opened to append: others write to it as well (what a process says when it dies). */
export function boundedWrite(fd: number, mostBytes = MOST_BYTES): typeof writeBytes {
  const path = fileBehind(fd);
  if (path === undefined) return writeBytes;
  let size = fstatSync(fd).size;
  return (to, bytes) => {
    if (size > 0 && size + bytes.length > mostBytes) {
      try {
        copyFileSync(path, `${path}.1`);
      } catch {
        // A full disk, or the file was taken away: what is old goes first.
      }
      ftruncateSync(fd, 0);
      size = 0;
    }
    const written = writeBytes(to, bytes);
    size += written;
    return written;
  };
}

function writeBytes(fd: number, bytes: Buffer): number {
  return writeSync(fd, bytes);
}

/** Undefined for what is no file: a pipe, a terminal. */
function fileBehind(fd: number): string | undefined {
  try {
    return fstatSync(fd).isFile() ? readlinkSync(`/proc/self/fd/${fd}`) : undefined;
  } catch {
    return undefined;
  }
}
