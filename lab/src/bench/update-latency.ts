// From a QMP event to the client that waits for it in WaitForUpdatesEx.
//
// `qmp-event`: the agent of a guest is stopped again and again. QEMU says so by VSERPORT_CHANGE; hostd sets
// guest.toolsRunningStatus. Measured from the time that QEMU itself put into the event (hostd notes it, to the millisecond,
// in vmware-monitor.log) to the client's having the update: QMP, hostd, TLS and the client's decoding.
//
// `killed-vmm`: a QEMU is killed, and the time is taken until the client is told that the VM is off. hostd waits for the end of
// the process and frees what it held (switch port, control group, folders) before it says so: a client may power on at once.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VimClient } from '@vivarium/client';
import { make } from '@vivarium/vim';
import { type LabHost, startLabHost } from '../testing/lab-host.ts';
import {
  createGuestVm,
  createVm,
  guestAddress,
  guestShell,
  powerOn,
  runInGuest,
  type VmRef,
} from '../testing/lab-vm.ts';
import { waitFor } from '../testing/wait-for.ts';
import { type Benchmark, boundedFigure, quantile } from './figure.ts';

const EVENTS = 100;
const EVENTS_AT_ONCE = 10;
const KILLS = 30;

export const updateLatency: Benchmark = {
  name: 'update-latency',
  about: 'QMP event to WaitForUpdatesEx',
  async run(report) {
    await using host = await startLabHost();
    await using client = await host.connect();
    const events = await agentStops(host, client);
    report(boundedFigure('update-latency.qmp-event.p99', 'ms', events, quantile(events, 0.99), 20));
    report(boundedFigure('update-latency.qmp-event.p50', 'ms', events, quantile(events, 0.5), 20));
    const kills = await killedVmms(host, client);
    report(boundedFigure('update-latency.killed-vmm.p50', 'ms', kills, quantile(kills, 0.5), 200));
  },
};

async function agentStops(host: LabHost, client: VimClient): Promise<number[]> {
  const vm = await createGuestVm(client, 'latency');
  await powerOn(client, vm);
  const address = await guestAddress(client, vm);
  await guestShell(address);
  await using updates = follow(client, vm, 'guest.toolsRunningStatus');
  const { changes } = updates;
  const isStopped = ({ value }: Change) => value === 'guestToolsNotRunning';
  const stops = () => changes.filter(isStopped);
  // A stop goes unheard when hostd had not yet had an answer of the agent.
  for (let batch = 0; stops().length < EVENTS && batch < (3 * EVENTS) / EVENTS_AT_ONCE; batch++) {
    const before = changes.length;
    // The agent is there long enough to be asked once; hostd asks as soon as it comes.
    const cycle = 'kill $(cat /run/qemu-ga.pid); sleep 0.3; /etc/init.d/agent; sleep 1.7;';
    await runInGuest(address, cycle.repeat(EVENTS_AT_ONCE));
    await waitFor('the agent to be back', async () => changes.length > before && !isStopped(changes.at(-1) as Change));
  }
  const times = await agentStopTimes(join(host.hostDir, 'datastore1', 'latency', 'vmware-monitor.log'));
  return stops().flatMap((change) => {
    const happened = times.findLast((time) => time <= change.atMs);
    return happened === undefined ? [] : [change.atMs - happened];
  });
}

/** When QEMU said that the agent's port was closed: milliseconds since the epoch. */
async function agentStopTimes(transcript: string): Promise<number[]> {
  const lines = (await readFile(transcript, 'utf8')).split('\n');
  return lines
    .filter((line) => line.includes('! VSERPORT_CHANGE') && line.includes('"open":false'))
    .map((line) => Date.parse(line.slice(0, line.indexOf(' '))));
}

async function killedVmms(host: LabHost, client: VimClient): Promise<number[]> {
  const vm = await createVm(client, 'killed', { memoryMB: 32 });
  await using updates = follow(client, vm, 'runtime.powerState');
  const { changes } = updates;
  const record = join(host.hostDir, 'run', vm.value, 'process.json');
  const runs: number[] = [];
  for (let run = 0; run < KILLS; run++) {
    await powerOn(client, vm);
    const { process: vmm } = JSON.parse(await readFile(record, 'utf8')) as { process: { pid: number } };
    await waitFor('the update', async () => changes.at(-1)?.value === 'poweredOn');
    const killedMs = wallClock();
    process.kill(vmm.pid, 'SIGKILL');
    await waitFor('the VM to be off', async () => changes.at(-1)?.value === 'poweredOff');
    runs.push((changes.at(-1)?.atMs ?? 0) - killedMs);
  }
  return runs;
}

interface Change {
  readonly value: string;
  /** Milliseconds since the epoch, with fractions. */
  readonly atMs: number;
}

/** What a client hears of one property, from now on. */
function follow(
  client: VimClient,
  obj: VmRef,
  path: string,
): AsyncDisposable & { readonly changes: readonly Change[] } {
  const stop = new AbortController();
  const changes: Change[] = [];
  const spec = make('PropertyFilterSpec', {
    propSet: [make('PropertySpec', { type: 'VirtualMachine', pathSet: [path] })],
    objectSet: [make('ObjectSpec', { obj })],
  });
  const following = (async () => {
    for await (const updates of client.watch(spec, { signal: stop.signal })) {
      const atMs = wallClock();
      for (const { changeSet = [] } of updates) {
        for (const { val } of changeSet) changes.push({ value: plainText(val), atMs });
      }
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    changes,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
    },
  };
}

const wallClock = () => performance.timeOrigin + performance.now();

function plainText(value: unknown): string {
  return typeof value === 'object' && value !== null && '_value' in value ? String(value._value) : String(value);
}
