// From the order to power a VM on to the first byte of its serial port: in a jail, without one, and the bare QEMU command line.
// The three take turns within a round, so that they meet the same load.
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VimClient } from '@vivarium/client';
import { make, moRef } from '@vivarium/vim';
import { type LabHost, startLabHost } from '../testing/lab-host.ts';
import { powerOff, powerOn as powerVmOn, reconfigure } from '../testing/lab-vm.ts';
import { bareQemu } from './bare-qemu.ts';
import { type Benchmark, ratioFigure } from './figure.ts';

/** Without the first, which warms up. */
const ROUNDS = 9;
const POLL_MS = 2;
/** The demo VM. */
const VM = moRef('VirtualMachine', '1');

interface Side {
  /** Milliseconds from the order to the first byte. */
  start(): Promise<number>;
  readonly runs: number[];
}

export const powerOn: Benchmark = {
  name: 'power-on',
  about: 'PowerOnVM_Task to the first byte on the serial port, against the bare QEMU command line',
  async run(report) {
    await using jailedHost = await startLabHost();
    await using unjailedHost = await startLabHost();
    await switchJailOff(unjailedHost);
    await using jailedClient = await jailedHost.connect();
    await using unjailedClient = await unjailedHost.connect();
    await prepare(jailedClient);
    await prepare(unjailedClient);
    const serial = serialFile(unjailedHost);
    await powerVmOn(unjailedClient, VM);
    await using qemu = await bareQemu(unjailedHost.hostDir, VM.value);
    await powerOff(unjailedClient, VM);

    const jailed = ourSide(jailedClient, serialFile(jailedHost));
    const unjailed = ourSide(unjailedClient, serial);
    const bare: Side = {
      runs: [],
      async start() {
        await rm(serial, { force: true });
        const started = performance.now();
        const end = qemu.start();
        await firstByte(serial);
        const elapsed = performance.now() - started;
        await end();
        return elapsed;
      },
    };
    const sides = [bare, unjailed, jailed];
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [turn] of sides.entries()) {
        const side = sides[(round + turn) % sides.length];
        const elapsed = await side?.start();
        if (round > 0 && elapsed !== undefined) side?.runs.push(elapsed);
      }
    }
    report(ratioFigure('power-on.without-jail', 'ms', unjailed.runs, bare.runs, 1.1));
    report(ratioFigure('power-on.jailed', 'ms', jailed.runs, bare.runs, 1.25));
  },
};

function serialFile(host: LabHost): string {
  return join(host.hostDir, 'datastore1', 'demo', 'serial.log');
}

/** Starts the host's hostd again, with `"jail": "none"`. */
async function switchJailOff(host: LabHost): Promise<void> {
  const file = join(host.hostDir, 'hostd.json');
  await host.killHostd();
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), jail: 'none' }));
  await host.startHostd();
}

/** Off, and with a serial port into a file, so that all sides are watched in the same way. */
async function prepare(client: VimClient): Promise<void> {
  await powerOff(client, VM);
  const device = make('VirtualSerialPort', {
    key: -1,
    yieldOnPoll: true,
    backing: make('VirtualSerialPortFileBackingInfo', { fileName: '[datastore1] demo/serial.log' }),
    connectable: make('VirtualDeviceConnectInfo', { startConnected: true, allowGuestControl: true, connected: true }),
  });
  await reconfigure(client, VM, {
    deviceChange: [make('VirtualDeviceConfigSpec', { operation: 'add', device })],
  });
}

function ourSide(client: VimClient, serial: string): Side {
  return {
    runs: [],
    async start() {
      await rm(serial, { force: true });
      const started = performance.now();
      const task = await client.call(VM, 'PowerOnVM_Task', {});
      await firstByte(serial);
      const elapsed = performance.now() - started;
      await client.waitForTask(task);
      await powerOff(client, VM);
      return elapsed;
    },
  };
}

async function firstByte(file: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (performance.now() < end) {
    const { size } = await stat(file).catch(() => ({ size: 0 }));
    if (size > 0) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`nothing in ${file} within 60 s`);
}
