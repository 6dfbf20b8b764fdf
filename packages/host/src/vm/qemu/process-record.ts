// The note of a started VMM, by which a new hostd finds the one that its predecessor left running.
//
// Order: the intent (no process) is written before QEMU is started, the process is added before the power-on is
// acknowledged. A record without a process therefore belongs to a start that nobody was told of. It has to outlive hostd,
// not the machine: no process does that either, so nothing waits for the disk.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '@vivarium/qemu/machine';

export interface ProcessRecord {
  /** Bumped when the meaning of a field changes; another number is not adopted. */
  readonly version: 1;
  /** The VM's configuration file, absolute: proves that the record is about this VM. */
  readonly vmxFile: string;
  readonly process?: {
    readonly pid: number;
    /** Field 22 of /proc/PID/stat: with the pid it names one process for ever. */
    readonly startTime: number;
  };
  /** ISO-8601: when the guest was powered on. */
  readonly bootTime: string;
  /** Keys of the switch ports that the VM holds, by nic id. */
  readonly ports: Readonly<Record<string, string>>;
  /** What the machine was started as: tells which ports it has. */
  readonly machine: Machine;
  /** Accelerator that runs the guest. */
  readonly accelerator: 'kvm' | 'tcg';
}

const FILE = 'process.json';

export async function writeProcessRecord(runFolder: string, record: ProcessRecord): Promise<void> {
  const path = join(runFolder, FILE);
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The record in `runFolder`; `undefined` when there is none or it is not one of ours. */
export async function readProcessRecord(runFolder: string): Promise<ProcessRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(runFolder, FILE), 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is ProcessRecord {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === 1;
}
