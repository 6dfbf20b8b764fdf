// Which processes live in a network namespace, and whether a pid is still the process that it was.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Start in clock ticks since boot (proc(5), stat field 22): tells a process from a later one with the same pid. */
  readonly startTime: string;
}

export interface FoundProcess extends ProcessIdentity {
  readonly arguments: readonly string[];
}

/** All processes whose network namespace is this one; `identity` as NetworkNamespace has it. */
export function processesInNamespace(identity: string): FoundProcess[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      const pid = Number(entry);
      if (pid === process.pid || orUndefined(() => readlinkSync(`/proc/${pid}/ns/net`)) !== identity) return [];
      const found = identify(pid);
      const commandLine = orUndefined(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      return found && commandLine !== undefined ? [{ ...found, arguments: commandLine.split('\0') }] : [];
    });
}

/** The process that has this pid now; undefined when there is none, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = orUndefined(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The command in parentheses may contain anything: fields are counted from the last ')'.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  const startTime = fields?.[19];
  return startTime === undefined || state === 'Z' || state === 'X' ? undefined : { pid, startTime };
}

export function isAlive(target: ProcessIdentity): boolean {
  return identify(target.pid)?.startTime === target.startTime;
}

/** Sends a signal to exactly this process; returns whether it was there. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

// A process may end between any two of these reads.
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
