// A real guest in a real jail: the demo guest boots from its own disk, and everything that a host does to a running VM is done to it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setInterval } from 'node:timers';
import { delay } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { connectGuestAgent } from './agent/connect.ts';
import type { GuestAgent } from './agent/guest-agent.ts';
import { hostName, networkInterfaces, osInfo, ping } from './agent/guest-facts.ts';
import { execInGuest } from './agent/guest-orders.ts';
import { isAlive, signalProcess } from './launch/process-identity.ts';
import { diskNodes, mediumNode, mediumNodes } from './machine/block-nodes.ts';
import { controllerDevice } from './machine/controllers.ts';
import { diskDevice } from './machine/drives.ts';
import type { Machine } from './machine/model.ts';
import { nicDevice, nicNetdev } from './machine/nics.ts';
import { pciAddress, planPciSlots } from './machine/pci-slots.ts';
import { queryBalloon, queryGuestMemory, setGuestStatisticsInterval } from './monitor/balloon.ts';
import { blockdevAddAll, blockdevDeleteAll, changeMedium, queryBlockStatistics } from './monitor/block.ts';
import { connectMonitor, connectUnix } from './monitor/connect.ts';
import { deviceAdd, deviceDelete } from './monitor/devices.ts';
import { screendump, setVncPassword } from './monitor/display.ts';
import { sendKeys } from './monitor/input.ts';
import { loadState, saveState } from './monitor/migration.ts';
import { netdevAdd, netdevDelete } from './monitor/network.ts';
import { continueMachine, queryStatus, quit, systemPowerdown, systemReset } from './monitor/run-state.ts';
import {
  inReverse,
  isRoot,
  makeImage,
  own,
  plainMachine,
  startMachine,
  type TestMachine,
  testFolder,
  writeOwned,
} from './test-machine.ts';
import { testGuest, testRuntime } from './test-runtime.ts';

const guest = testGuest();
const skip = (testRuntime() === undefined || guest === undefined) && 'no runtime root and demo guest in the cache';
const BOOT_MS = 120_000;

const machine: Machine = plainMachine({
  memoryMB: 256,
  controllers: [
    { id: 'scsi0', kind: 'pvscsi' },
    { id: 'ide0', kind: 'ide' },
  ],
  disks: [disk(0, 'disk.raw', 'raw')],
  cdroms: [{ id: 'cdrom-3000', controller: 'ide0', unit: 0 }],
  nics: [{ id: 'nic-4000', kind: 'vmxnet3', mac: '00:50:56:00:00:01', linkUp: true }],
  serials: [{ id: 'serial-9000', index: 0, backing: { kind: 'file', file: 'serial.log', append: true } }],
  usbInput: true,
  balloon: true,
  rng: true,
});

function disk(unit: number, file: string, format: 'raw' | 'qcow2', controller = 'scsi0'): Machine['disks'][number] {
  return {
    ...{ id: `disk-${2000 + unit}`, controller, unit, file, format, backing: [], readOnly: false, writeThrough: false },
    ...{ discard: true, serial: `6000c29e3d5f4a0b8c7d6e5f4a3b2c1${unit}` },
    ...(unit === 0 ? { bootIndex: 1 } : {}),
  };
}

void suite('a guest', { skip, timeout: 600_000 }, () => {
  void test('boots, lives, is suspended and resumed, and powers down', async (context) => {
    const t = inReverse(context);
    const folders = testFolder(t);
    copyFileSync(guest?.disk ?? '', join(folders.folder, 'disk.raw'));
    own(join(folders.folder, 'disk.raw'));
    const options = {
      ...folders,
      binding: { networks: { 'nic-4000': { kind: 'user' } } },
      spec: { network: 'host' },
    } as const;
    const vm = await startMachine(t, machine, options);
    const { monitor } = vm;
    const serial = () => readFileSync(join(vm.folder, 'serial.log'), 'latin1');
    await until(
      'a login prompt on the serial port',
      () => existsSync(join(vm.folder, 'serial.log')) && /login:/.test(serial()),
      BOOT_MS,
    );
    assert.deepEqual(await queryStatus(monitor), { state: 'running', isRunning: true });
    const agent = await connectAgent(t, vm);

    await context.test('is jailed', { skip: !isRoot }, () => {
      const status = readFileSync(`/proc/${vm.process.pid}/status`, 'utf8');
      assert.match(status, /^Name:\s+qemu-system/m);
      assert.match(status, /^Uid:(\s+64321){4}$/m);
      assert.match(status, /^Groups:\s*$/m);
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        assert.match(status, new RegExp(`^${set}:\\s+0{16}$`, 'm'));
      }
      assert.match(status, /^NoNewPrivs:\s+1$/m);
      assert.match(status, /^Seccomp:\s+2$/m);
      const mounts = readFileSync(`/proc/${vm.process.pid}/mounts`, 'utf8')
        .split('\n')
        .map((line) => line.split(' '));
      const writable = mounts.filter(([, , , flags]) => flags?.split(',').includes('rw')).map(([, path]) => path ?? '');
      assert.deepEqual(writable.filter((path) => !/^\/(dev|proc|tmp)/.test(path)).toSorted(), ['/run/vm', '/vm']);
    });

    await context.test('says what it is', async () => {
      await ping(agent);
      assert.ok(await hostName(agent));
      assert.ok((await osInfo(agent)).kernelRelease);
      const eth0 = (await networkInterfaces(agent)).find(({ mac }) => mac === '00:50:56:00:00:01');
      assert.match(eth0?.addresses[0]?.address ?? '', /^10\.0\.2\./);
    });

    await context.test('knows its slots by the numbers that VMware uses', async () => {
      assert.equal(
        await run(agent, 'cat /sys/bus/pci/slots/160/address /sys/bus/pci/slots/192/address'),
        '0000:01:00 0000:03:00',
      );
    });

    await context.test('gets and loses disks, controllers and NICs', async () => {
      await makeImage(vm.folder, 'more.qcow2', 'qcow2', '32M');
      const more = disk(1, 'more.qcow2', 'qcow2');
      const nodes = diskNodes(more, '/vm');
      await blockdevAddAll(monitor, nodes);
      await deviceAdd(monitor, diskDevice({ ...machine, disks: [...machine.disks, more] }, more));
      await runUntil(agent, 'cat /sys/block/sdb/size', '65536');
      await run(agent, 'dd if=/dev/zero of=/dev/sdb bs=64k count=16 oflag=direct 2>/dev/null');
      const written = (await queryBlockStatistics(monitor)).find(({ id }) => id === 'disk-2001')?.writtenBytes ?? 0;
      assert.ok(written >= 1024 * 1024, String(written));
      await deviceDelete(monitor, 'disk-2001');
      await blockdevDeleteAll(monitor, nodes);
      await runUntil(agent, 'ls /sys/block | grep -c sdb', '0');

      const larger: Machine = {
        ...machine,
        controllers: [...machine.controllers, { id: 'scsi1', kind: 'pvscsi' }],
        nics: [...machine.nics, { id: 'nic-4001', kind: 'vmxnet3', mac: '00:50:56:00:00:02', linkUp: true }],
      };
      const address = (id: string) => pciAddress('q35', planPciSlots(larger).get(id) ?? 0);
      for (const device of controllerDevice(larger, { id: 'scsi1', kind: 'pvscsi' }, address('scsi1'))) {
        await deviceAdd(monitor, device);
      }
      const nic = larger.nics[1] ?? assert.fail();
      await netdevAdd(monitor, nicNetdev(nic, undefined));
      await deviceAdd(monitor, nicDevice(nic, address('nic-4001')));
      await runUntil(agent, 'ls /sys/class/scsi_host | wc -l; cat /sys/class/net/eth1/address', '4 00:50:56:00:00:02');
      await Promise.all([deviceDelete(monitor, 'scsi1'), deviceDelete(monitor, 'nic-4001')]);
      await netdevDelete(monitor, 'net-4001');
      await runUntil(agent, 'ls /sys/class/net', 'eth0 lo');
    });

    await context.test('reads a medium that is put into its drive', async () => {
      writeOwned(join(vm.folder, 'a.iso'), 'on the disc'.padEnd(1024 * 1024));
      const nodes = mediumNodes('cdrom-3000', 'a.iso', true, '/vm');
      await blockdevAddAll(monitor, nodes);
      await changeMedium(monitor, 'cdrom-3000', mediumNode('cdrom-3000'));
      await runUntil(agent, 'head -c 11 /dev/sr0', 'on the disc');
      await changeMedium(monitor, 'cdrom-3000', undefined);
      await blockdevDeleteAll(monitor, nodes);
      const missing = mediumNodes('cdrom-3000', 'none.iso', true, '/vm');
      await assert.rejects(blockdevAddAll(monitor, missing), /No such file/);
    });

    await context.test('shows a screen, takes keys, and opens VNC by password', async () => {
      await screendump(monitor, '/run/vm/screen.png');
      const png = readFileSync(join(vm.runFolder, 'screen.png'));
      assert.equal(png.subarray(1, 4).toString(), 'PNG');
      const strokes = 'vivarium'.split('').map((key) => ({ usage: key.charCodeAt(0) - 97 + 4, modifiers: [] }));
      await sendKeys(monitor, strokes);
      await until('a changed screen', async () => {
        await screendump(monitor, '/run/vm/screen2.png');
        return !readFileSync(join(vm.runFolder, 'screen2.png')).equals(png);
      });
      const [none, vncAuthentication] = [1, 2];
      assert.deepEqual(await securityTypes(join(vm.runFolder, 'vnc.sock')), [none]);
      await setVncPassword(monitor, 'geheim');
      assert.deepEqual(await securityTypes(join(vm.runFolder, 'vnc-password.sock')), [vncAuthentication]);
      await setVncPassword(monitor, undefined);
    });

    await context.test('reports its memory', async () => {
      await setGuestStatisticsInterval(monitor, 1);
      await until('statistics', async () => ((await queryGuestMemory(monitor)).totalBytes ?? 0) > 100_000_000);
      assert.equal(await queryBalloon(monitor), 256 * 1024 * 1024);
    });

    await run(agent, 'echo kept > /run/kept');
    agent.close();
    writeOwned(join(vm.folder, 'test.vmss'), '');
    const progress: number[] = [];
    await saveState(monitor, '/vm/test.vmss', { onProgress: (percent) => progress.push(percent) });
    assert.ok(progress.every((percent) => percent >= 0 && percent <= 100));
    assert.ok(statSync(join(vm.folder, 'test.vmss')).size > 20_000_000);
    await quit(monitor);
    await vm.ended;

    const resumed = await startMachine(t, machine, { ...options, binding: { ...options.binding, incoming: 'defer' } });
    await loadState(resumed.monitor, '/vm/test.vmss');
    assert.equal((await queryStatus(resumed.monitor)).isRunning, false);
    await continueMachine(resumed.monitor);
    const again = await connectAgent(t, resumed);
    assert.equal(await run(again, 'cat /run/kept'), 'kept');

    const down = resumed.monitor.waitFor(({ event, data }) => event === 'SHUTDOWN' && data['guest'] === true, {
      timeoutMs: 60_000,
    });
    await systemPowerdown(resumed.monitor);
    assert.equal((await down).data['reason'], 'guest-shutdown');
    assert.deepEqual(await resumed.ended, { code: 0, signal: null });
    assert.equal(await resumed.monitor.closed, undefined);
  });
});

void suite('a machine without a system', {
  skip: testRuntime() === undefined && 'no runtime root in the cache',
}, () => {
  void test('is found again by pid and start time, and its sudden death is noticed', async (context) => {
    const t = inReverse(context);
    const vm = await startMachine(t, plainMachine(), testFolder(t));
    assert.ok(isAlive(vm.process));
    assert.ok(!isAlive({ ...vm.process, startTime: vm.process.startTime + 1 }));
    vm.monitor.close();
    await vm.monitor.closed;
    const second = await connectMonitor(join(vm.runFolder, 'qmp.sock'), { clock: systemClock });
    await systemReset(second);
    signalProcess(vm.process, 'SIGKILL');
    await second.closed;
    await until('the end of the process', () => !isAlive(vm.process));
    assert.equal((await vm.ended).code, 137);
    await assert.rejects(queryStatus(second), /the monitor is closed/);
  });
});

async function connectAgent(t: { after(undo: () => void): void }, vm: TestMachine): Promise<GuestAgent> {
  const agent = await connectGuestAgent(join(vm.runFolder, 'agent.sock'), { clock: systemClock, random: systemRandom });
  t.after(() => agent.close());
  await until('an answer of the agent', () =>
    ping(agent, 2000).then(
      () => true,
      () => false,
    ),
  );
  return agent;
}

/** What a VNC server wants to see of a client (RFC 6143, 7.1.2). */
async function securityTypes(path: string): Promise<number[]> {
  const socket = await connectUnix(path, { clock: systemClock });
  try {
    const [version] = (await once(socket, 'data')) as [Buffer];
    socket.write(version);
    const [types] = (await once(socket, 'data')) as [Buffer];
    return [...types.subarray(1)];
  } finally {
    socket.destroy();
  }
}

/** Output of a shell command in the guest, on one line. */
async function run(agent: GuestAgent, command: string): Promise<string> {
  const result = await execInGuest(agent, { path: '/bin/sh', args: ['-c', command], timeoutMs: 30_000 });
  return result.stdout.toString().trim().split(/\s+/).join(' ');
}

async function runUntil(agent: GuestAgent, command: string, expected: string): Promise<void> {
  let last = '';
  await until(`${command} to say ${expected}`, async () => {
    last = await run(agent, command);
    return last === expected;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; it said ${last}`);
  });
}

async function until(what: string, isSo: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = systemClock.monotonic() + timeoutMs;
  const awake = setInterval(() => undefined, 1000);
  try {
    while (!(await isSo())) {
      if (systemClock.monotonic() > deadline) throw new Error(`no ${what} within ${timeoutMs} ms`);
      await delay(systemClock, 50);
    }
  } finally {
    clearInterval(awake);
  }
}
