// From the order to power a VM on to the first byte of its serial port, against the bare QEMU command line with the same guest,
// disk, adapter and memory. Both sides alternate within one run.
import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { ensureDemoGuest } from '@vivarium/guests';
import { ensureRuntime } from '@vivarium/qemu';
import { make, moRef } from '@vivarium/vim';
import { labCache } from '../testing/lab-cache.ts';
import { type LabHost, startLabHost } from '../testing/lab-host.ts';
import { type Benchmark, ratioFigure } from './figure.ts';

const RUNS = 7;
const AIM_JAILED = 1.25;

export const powerOn: Benchmark = {
  name: 'power-on',
  about: 'PowerOnVM_Task to the first byte on the serial port, against the bare QEMU command line',
  async run(report) {
    await using host = await startLabHost();
    const serial = await addSerialPort(host);
    const ours: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      bare.push(await bareStart());
      ours.push(await ourStart(host, serial));
    }
    report(ratioFigure('power-on.jailed', 'ms', ours, bare, AIM_JAILED));
  },
};

/** A serial port into a file, so that both sides are watched in the same way. Returns the file. */
async function addSerialPort(host: LabHost): Promise<string> {
  await using client = await host.connect();
  const vm = moRef('VirtualMachine', '1');
  await client.waitForTask(await client.call(vm, 'PowerOffVM_Task', {}));
  const spec = make('VirtualMachineConfigSpec', {
    deviceChange: [
      make('VirtualDeviceConfigSpec', {
        operation: 'add',
        device: make('VirtualSerialPort', {
          key: -1,
          yieldOnPoll: true,
          backing: make('VirtualSerialPortFileBackingInfo', { fileName: '[datastore1] demo/serial.log' }),
          connectable: make('VirtualDeviceConnectInfo', {
            startConnected: true,
            allowGuestControl: true,
            connected: true,
          }),
        }),
      }),
    ],
  });
  await client.waitForTask(await client.call(vm, 'ReconfigVM_Task', { spec }));
  return join(host.hostDir, 'datastore1', 'demo', 'serial.log');
}

async function ourStart(host: LabHost, serial: string): Promise<number> {
  await using client = await host.connect();
  const vm = moRef('VirtualMachine', '1');
  await rm(serial, { force: true });
  const started = performance.now();
  const task = await client.call(vm, 'PowerOnVM_Task', {});
  await firstByte(serial);
  const elapsed = performance.now() - started;
  await client.waitForTask(task);
  await client.waitForTask(await client.call(vm, 'PowerOffVM_Task', {}));
  return elapsed;
}

/** The same machine by hand: no jail, no daemon, user-mode network in place of the tap. */
async function bareStart(): Promise<number> {
  const common = { cacheDir: labCache(), clock: systemClock, log: silentLogger };
  const runtime = await ensureRuntime(common);
  const guest = await ensureDemoGuest(common);
  const folder = await mkdtemp(join(tmpdir(), 'vivbare-'));
  const disk = join(folder, 'disk.raw');
  const serial = join(folder, 'serial.log');
  await copyFile(guest.disk, disk);
  const { file, args } = runtime.direct('qemu-system-x86_64', [
    ...['-L', join(runtime.path, 'usr/share/qemu'), '-L', join(runtime.path, 'usr/share/seabios')],
    ...['-L', join(runtime.path, 'usr/lib/ipxe/qemu'), '-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-m', '256', '-vga', 'std'],
    ...['-drive', `file=${disk},format=raw,if=none,id=d`, '-device', 'pvscsi', '-device', 'scsi-hd,drive=d'],
    ...['-netdev', 'user,id=n', '-device', 'vmxnet3,netdev=n,romfile=', '-serial', `file:${serial}`],
  ]);
  const env = { ...process.env, QEMU_MODULE_DIR: join(runtime.path, 'usr/lib/x86_64-linux-gnu/qemu') };
  const started = performance.now();
  const child = spawn(file, args, { stdio: 'ignore', env });
  try {
    await firstByte(serial);
    return performance.now() - started;
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

async function firstByte(file: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (performance.now() < end) {
    const { size } = await stat(file).catch(() => ({ size: 0 }));
    if (size > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`nothing on the serial port within 60 s: ${await readFile(file, 'utf8').catch(() => 'no file')}`);
}
