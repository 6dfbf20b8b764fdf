// The QEMU process of a running VM, found by the host's own note of it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabHost } from './lab-host.ts';
import type { VmRef } from './lab-vm.ts';

export async function vmPid(host: LabHost, vm: VmRef): Promise<number> {
  const record = JSON.parse(await readFile(join(host.hostDir, 'run', vm.value, 'process.json'), 'utf8')) as {
    readonly process: { readonly pid: number };
  };
  return record.process.pid;
}

/** Seconds of processors that a process has used so far. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What each process uses of one processor from now on, over `seconds`. */
export async function cpuLoads(pids: readonly number[], seconds: number): Promise<number[]> {
  const before = await Promise.all(pids.map(cpuSeconds));
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await Promise.all(pids.map(cpuSeconds));
  const elapsed = (performance.now() - began) / 1000;
  return after.map((used, index) => (used - (before[index] ?? 0)) / elapsed);
}
