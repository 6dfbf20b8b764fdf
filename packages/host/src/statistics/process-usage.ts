// What a process uses, read from /proc: the source of quickStats.
import { readFile } from 'node:fs/promises';

/** USER_HZ: the unit of utime/stime in /proc/PID/stat (proc(5)); 100 on every Linux architecture that we support. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

export interface ProcessUsage {
  /** CPU time used so far, in seconds. */
  readonly cpuSeconds: number;
  /** Resident memory in bytes. */
  readonly residentBytes: number;
}

/** `undefined` when the process is gone. */
export async function readProcessUsage(pid: number): Promise<ProcessUsage | undefined> {
  try {
    return parseProcessStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Parses a line of /proc/PID/stat; the command name may hold spaces and parentheses, so fields count from the last `)`. */
export function parseProcessStat(line: string): ProcessUsage | undefined {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const pages = Number(fields[21]);
  if (!Number.isFinite(ticks) || !Number.isFinite(pages)) return undefined;
  return { cpuSeconds: ticks / TICKS_PER_SECOND, residentBytes: pages * PAGE_BYTES };
}
