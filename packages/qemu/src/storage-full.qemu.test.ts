// A full datastore: the machine stops instead of losing data or telling its guest, and goes on where it was when there is room.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, copyFileSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { delay } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { connectGuestAgent } from './agent/connect.ts';
import { ping } from './agent/guest-facts.ts';
import { execInGuest } from './agent/guest-orders.ts';
import { queryBlock } from './monitor/block.ts';
import { readEvent } from './monitor/events.ts';
import { continueMachine, queryStatus } from './monitor/run-state.ts';
import { inReverse, isRoot, makeImage, own, plainMachine, startMachine, testFolder } from './test-machine.ts';
import { testGuest, testRuntime } from './test-runtime.ts';

const guest = testGuest();
const reason =
  testRuntime() === undefined || guest === undefined
    ? 'no runtime root and demo guest in the cache'
    : !isRoot && 'only root can mount a small file system';

void suite('a full datastore', { skip: reason, timeout: 600_000 }, () => {
  void test('stops the machine, which goes on when there is room', async (context) => {
    const t = inReverse(context);
    const { runFolder } = testFolder(t);
    // By itself, so that nothing removes what is mounted on it.
    const folder = mkdtempSync(join(tmpdir(), 'vivarium-small-'));
    t.after(() => rmdirSync(folder));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=90m', 'tmpfs', folder]);
    t.after(() => void execFileSync('umount', ['--lazy', folder]));
    own(folder);
    copyFileSync(guest?.disk ?? '', join(folder, 'disk.raw'));
    own(join(folder, 'disk.raw'));
    await makeImage(folder, 'data.qcow2', 'qcow2', '64M');
    const drive = { controller: 'scsi0', backing: [], readOnly: false, writeThrough: false, discard: true, serial: '' };
    const machine = plainMachine({
      memoryMB: 256,
      controllers: [{ id: 'scsi0', kind: 'pvscsi' }],
      disks: [
        { ...drive, id: 'disk-2000', unit: 0, file: 'disk.raw', format: 'raw', bootIndex: 1 },
        { ...drive, id: 'disk-2001', unit: 1, file: 'data.qcow2', format: 'qcow2' },
      ],
    });
    const vm = await startMachine(t, machine, { folder, runFolder });
    const clock = systemClock;
    const agent = await connectGuestAgent(join(runFolder, 'agent.sock'), { clock, random: systemRandom });
    t.after(() => agent.close());
    for (let isUp = false; !isUp; )
      isUp = await ping(agent, 2000).then(
        () => true,
        () => false,
      );

    // Something else takes the rest of the file system but 4 MiB.
    const hog = join(folder, 'hog');
    const fd = openSync(hog, 'w');
    const block = Buffer.alloc(1024 * 1024, 1);
    const available = Number(execFileSync('stat', ['-f', '-c', '%a', folder]).toString()) / 256;
    for (let index = 0; index < available - 4; index++) writeSync(fd, block);
    closeSync(fd);

    const stopped = vm.monitor.waitFor((event) => readEvent(event)?.kind === 'blockIoError', { timeoutMs: 200_000 });
    // Linux gives the names sda and sdb in the order in which the disks answer.
    const disk = '/dev/$(ls /sys/bus/scsi/devices/*:0:1:0/block)';
    const write = `dd if=/dev/urandom of=/tmp/noise bs=1M count=12 2>/dev/null; sha256sum </tmp/noise; dd if=/tmp/noise of=${disk} bs=1M conv=fsync 2>&1; head -c 12582912 ${disk} | sha256sum`;
    const written = execInGuest(agent, { path: '/bin/sh', args: ['-c', write], timeoutMs: 200_000 });
    written.catch(() => undefined);
    const error = readEvent(await stopped);
    assert.deepEqual(error, {
      ...{ kind: 'blockIoError', device: 'disk-2001', operation: 'write', action: 'stop', noSpace: true },
      reason: 'No space left on device',
    });
    assert.deepEqual(await queryStatus(vm.monitor), { state: 'io-error', isRunning: false });
    assert.equal((await queryBlock(vm.monitor)).find(({ id }) => id === 'disk-2001')?.ioStatus, 'nospace');

    // Without room it stops again at once.
    const again = vm.monitor.waitFor((event) => readEvent(event)?.kind === 'blockIoError');
    await continueMachine(vm.monitor);
    await again;

    rmSync(hog);
    await continueMachine(vm.monitor);
    await delay(clock, 0);
    const sums = await retry(() =>
      execInGuest(agent, {
        path: '/bin/sh',
        args: ['-c', `sync; head -c 12582912 ${disk} | sha256sum; sha256sum </tmp/noise`],
        timeoutMs: 60_000,
      }),
    );
    const [onDisk, inMemory] = sums.stdout.toString().trim().split('\n');
    assert.equal(onDisk, inMemory);
    assert.ok((await queryStatus(vm.monitor)).isRunning);
  });
});

/** The agent was stopped with its guest: it answers when it has caught up. */
async function retry<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      return await work();
    } catch {
      await delay(systemClock, 200);
    }
  }
  return await work();
}
