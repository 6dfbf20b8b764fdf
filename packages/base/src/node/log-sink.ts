// Where a daemon's log lines go: a file, which may lie on a disk that is full. A line for which there is no room is lost, and
// the next one that is written says how many were; whoever logs never hears of it.
import { writeSync } from 'node:fs';

interface LogSink {
  /** A line with its end. Never throws. */
  write(line: string): void;
}

/** `write`: writes to the file what it can, and returns how many bytes that was. */
export function logSink(fd: number, write: (fd: number, bytes: Buffer) => number = writeSync): LogSink {
  let lost = 0;
  /** The file ends in the middle of a line. */
  let isTorn = false;
  const put = (line: string): boolean => {
    let rest = Buffer.from(isTorn ? `\n${line}` : line);
    try {
      while (rest.length > 0) {
        const written = write(fd, rest);
        isTorn = written < rest.length;
        rest = rest.subarray(written);
      }
      return true;
    } catch {
      return false;
    }
  };
  return {
    write(line) {
      if (
        lost > 0 &&
        put(`${JSON.stringify({ level: 40, lost, msg: 'lines of the log were lost: they could not be written' })}\n`)
      )
        lost = 0;
      if (lost > 0 || !put(line)) lost += 1;
    },
  };
}
