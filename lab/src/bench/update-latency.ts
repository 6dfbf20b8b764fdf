// From a QMP event to the client that waits for it: the VMM of a running VM is killed, and the time is taken until
// WaitForUpdatesEx tells that the VM is off. What hostd does on the way (free the machine's resources, note the event) counts.
import { readdir, readFile } from 'node:fs/promises';
import { make, moRef } from '@vivarium/vim';
import { startLabHost } from '../testing/lab-host.ts';
import { type Benchmark, boundedFigure, quantile } from './figure.ts';

const RUNS = 60;
const MOST_MS = 20;

export const updateLatency: Benchmark = {
  name: 'update-latency',
  about: 'QMP event to WaitForUpdatesEx',
  async run(report) {
    await using host = await startLabHost();
    await using client = await host.connect();
    const task = await client.call(moRef('Folder', 'ha-folder-vm'), 'CreateVM_Task', {
      config: make('VirtualMachineConfigSpec', {
        name: 'latency',
        guestId: 'otherGuest64',
        memoryMB: 32,
        files: make('VirtualMachineFileInfo', { vmPathName: '[datastore1]' }),
      }),
      pool: moRef('ResourcePool', 'ha-root-pool'),
    });
    const { value } = (await client.waitForTask(task)) as { value: string };
    const vm = moRef('VirtualMachine', value);
    const stop = new AbortController();
    let heard: ((state: string) => void) | undefined;
    const watching = (async () => {
      const spec = make('PropertyFilterSpec', {
        propSet: [make('PropertySpec', { type: 'VirtualMachine', pathSet: ['runtime.powerState'] })],
        objectSet: [make('ObjectSpec', { obj: vm })],
      });
      for await (const updates of client.watch(spec, { signal: stop.signal })) {
        for (const update of updates) {
          const change = update.changeSet?.find(({ name }) => name === 'runtime.powerState');
          if (change) heard?.(text(change.val));
        }
      }
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    const runs: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      await client.waitForTask(await client.call(vm, 'PowerOnVM_Task', {}));
      const pid = await vmmPid('latency', host.hostDir);
      const off = new Promise<void>((resolve) => {
        heard = (state) => {
          if (state === 'poweredOff') resolve();
        };
      });
      const started = performance.now();
      process.kill(pid, 'SIGKILL');
      await off;
      runs.push(performance.now() - started);
    }
    stop.abort();
    await watching;
    report(boundedFigure('update-latency.p99', 'ms', runs, quantile(runs, 0.99), MOST_MS));
    report(boundedFigure('update-latency.p50', 'ms', runs, quantile(runs, 0.5), MOST_MS));
  },
};

function text(value: unknown): string {
  return typeof value === 'object' && value !== null && '_value' in value ? String(value._value) : String(value);
}

/** The QEMU of the VM, by the name on its command line and the folder that is mounted into its jail. */
async function vmmPid(name: string, hostDir: string): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (!command.includes('qemu-system') || !command.includes(`guest=${name},`)) continue;
    const mounts = await readFile(`/proc/${entry}/mountinfo`, 'utf8').catch(() => '');
    if (mounts.includes(`${hostDir}/datastore1/${name}`)) return Number(entry);
  }
  throw new Error(`no VMM runs ${name}`);
}
