// Which process a VMM is, so that it can be found again by a daemon that did not start it. A pid alone is not enough: pids are
// used again. The start time makes the pair unique for one boot of the machine.
import { readFileSync } from 'node:fs';

export interface VmProcess {
  /** In the daemon's pid namespace. */
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks from the machine's boot to the process's start. */
  readonly startTime: number;
}

/** The identity of a running process; `undefined` when there is none, or only its zombie. */
export function identifyProcess(pid: number): VmProcess | undefined {
  const stat = readStat(pid);
  return stat && !stat.isDead ? { pid, startTime: stat.startTime } : undefined;
}

/** The process if it still is the one that was recorded, and alive; else `undefined`. */
export function findProcess(pid: number, startTime: number): VmProcess | undefined {
  const found = identifyProcess(pid);
  return found?.startTime === startTime ? found : undefined;
}

export function isAlive({ pid, startTime }: VmProcess): boolean {
  return findProcess(pid, startTime) !== undefined;
}

/** Sends a signal to the process if it is still the recorded one. Returns whether it was. */
export function signalProcess(process_: VmProcess, signal: NodeJS.Signals): boolean {
  if (!isAlive(process_)) return false;
  try {
    return process.kill(process_.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Kills a process group of which `leader` is our own child, so that nobody else can have its number. */
export function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Stat {
  readonly isDead: boolean;
  readonly startTime: number;
  readonly cpuTicks: number;
  readonly residentPages: number;
}

function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // ENOENT, or ESRCH when it ends while we read
  }
  return parseStat(text);
}

/** The text of /proc/PID/stat. The program's name (field 2) may hold anything, also `) Z 1`: fields count from its last `)`. */
export function parseStat(text: string): Stat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => fields[number - 3] ?? '';
  const startTime = Number(field(22));
  if (!Number.isSafeInteger(startTime) || startTime <= 0) return undefined;
  return {
    isDead: ['Z', 'X', 'x'].includes(field(3)),
    startTime,
    cpuTicks: Number(field(14)) + Number(field(15)),
    residentPages: Number(field(24)),
  };
}
