// What hostd costs while it does nothing: resident memory and processor time with 20 running VMs.
import { readFile } from 'node:fs/promises';
import type { VimClient } from '@vivarium/client';
import { make, moRef } from '@vivarium/vim';
import { startLabHost } from '../testing/lab-host.ts';
import { type Benchmark, boundedFigure, median } from './figure.ts';

const VMS = 20;
const SETTLE_MS = 30_000;
const SAMPLES = 3;
const SAMPLE_MS = 20_000;
/** USER_HZ (proc(5)). */
const TICKS_PER_SECOND = 100;

export const idleHost: Benchmark = {
  name: 'idle-host',
  about: `hostd's memory and processor time with ${VMS} running VMs`,
  async run(report) {
    await using host = await startLabHost();
    await using client = await host.connect();
    for (let index = 1; index < VMS; index++) await startSmallVm(client, `idle-${index}`);
    const pid = await host.hostdPid();
    await pause(SETTLE_MS);
    const memory: number[] = [];
    const processor: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      const before = await ticks(pid);
      await pause(SAMPLE_MS);
      processor.push((((await ticks(pid)) - before) / TICKS_PER_SECOND / (SAMPLE_MS / 1000)) * 100);
      memory.push(await residentMB(pid));
    }
    report(boundedFigure('idle-host.memory', 'MB', memory, median(memory), 120));
    report(boundedFigure('idle-host.cpu', '% of a core', processor, median(processor), 1));
  },
};

/** A VM without a disk: its firmware finds nothing to boot and waits. */
async function startSmallVm(client: VimClient, name: string): Promise<void> {
  const task = await client.call(moRef('Folder', 'ha-folder-vm'), 'CreateVM_Task', {
    config: make('VirtualMachineConfigSpec', {
      name,
      guestId: 'otherGuest64',
      memoryMB: 32,
      numCPUs: 1,
      files: make('VirtualMachineFileInfo', { vmPathName: '[datastore1]' }),
    }),
    pool: moRef('ResourcePool', 'ha-root-pool'),
  });
  const { value } = (await client.waitForTask(task)) as { value: string };
  await client.waitForTask(await client.call(moRef('VirtualMachine', value), 'PowerOnVM_Task', {}));
}

async function ticks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function residentMB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
