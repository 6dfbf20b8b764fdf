// What hostd costs while it does nothing, with 20 running guests whose agents answer: resident memory and processor time. And
// how long a new hostd takes to serve again when the old one was killed.
import { readFile } from 'node:fs/promises';
import { startLabHost } from '../testing/lab-host.ts';
import { createGuestVm, guestAddress, powerOn } from '../testing/lab-vm.ts';
import { type Benchmark, boundedFigure, median } from './figure.ts';
import { processorSeconds } from './processor-time.ts';

const VMS = 20;
const GUEST_MB = 128;
/** Longer than any interval at which hostd looks after something. */
const SETTLE_MS = 90_000;
const SAMPLES = 3;
const SAMPLE_MS = 60_000;
const RESTARTS = 5;

export const idleHost: Benchmark = {
  name: 'idle-host',
  about: `hostd's memory and processor time with ${VMS} running guests, and its restart`,
  async run(report) {
    await using host = await startLabHost();
    {
      await using client = await host.connect();
      for (let index = 1; index < VMS; index++) {
        const vm = await createGuestVm(client, `guest-${index}`, { memoryMB: GUEST_MB });
        await powerOn(client, vm);
        await guestAddress(client, vm);
      }
    }
    const pid = await host.hostdPid();
    await pause(SETTLE_MS);
    const memory: number[] = [];
    const processor: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      const before = await processorSeconds(pid);
      await pause(SAMPLE_MS);
      processor.push((((await processorSeconds(pid)) - before) / (SAMPLE_MS / 1000)) * 100);
      memory.push(await residentMB(pid));
    }
    report(boundedFigure('idle-host.memory', 'MB', memory, median(memory), 120));
    report(boundedFigure('idle-host.cpu', '% of a core', processor, median(processor), 1));

    const restarts: number[] = [];
    for (let restart = 0; restart < RESTARTS; restart++) {
      await host.killHostd();
      restarts.push(await host.startHostd());
    }
    report(boundedFigure('idle-host.restart', 'ms', restarts, median(restarts), 2_000));
  },
};

async function residentMB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
