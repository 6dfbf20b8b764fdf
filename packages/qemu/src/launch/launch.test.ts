// Starting VMMs for real: descriptors, failures, and that nothing of a failed start stays.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { chardevAdd } from '../monitor/chardev.ts';
import { connectMonitor } from '../monitor/connect.ts';
import { queryStatus, quit } from '../monitor/run-state.ts';
import { closeFd, getFd, loadSendWithFd } from '../monitor/send-fd.ts';
import { disown, inReverse, own, plainMachine, startMachine, testFolder } from '../test-machine.ts';
import { testRuntime } from '../test-runtime.ts';
import { prepareCgroups } from './cgroup-hierarchy.ts';
import { CgroupTree } from './cgroup-tree.ts';
import { LaunchError } from './launch.ts';
import { isAlive, signalProcess } from './process-identity.ts';

void suite('a launch', {
  skip: testRuntime() === undefined && 'no runtime root in the cache',
  timeout: 120_000,
}, () => {
  void test('passes open descriptors, also to a machine that runs', async (context) => {
    const t = inReverse(context);
    const folders = testFolder(t);
    const path = join(folders.folder, 'serial.out');
    writeFileSync(path, '');
    own(path);
    const fd = openSync(path, 'w');
    const extra = ['-add-fd', 'fd=3,set=7', '-chardev', 'file,id=passed,path=/dev/fdset/7'];
    const { monitor } = await startMachine(t, plainMachine(), { ...folders, spec: { fds: [fd] }, extra });
    closeSync(fd);
    const later = openSync('/dev/null', 'r');
    await getFd(monitor, 'later', later, loadSendWithFd());
    closeSync(later);
    await closeFd(monitor, 'later');
    await assert.rejects(closeFd(monitor, 'later'), /not found/);
    await chardevAdd(monitor, 'null', { type: 'null', data: {} });
    await quit(monitor);
  });

  void test('that fails says what QEMU said, and leaves no process', async (context) => {
    const t = inReverse(context);
    const folders = testFolder(t);
    writeFileSync(join(folders.folder, 'qemu.log'), 'what an earlier start said\n');
    await assert.rejects(
      startMachine(t, plainMachine(), { ...folders, extra: ['-device', 'no-such-device'] }),
      (error: unknown) => {
        assert.ok(error instanceof LaunchError);
        assert.match(error.message, /QEMU ended with 1: .*'no-such-device' is not a valid device model name/);
        assert.doesNotMatch(error.message, /earlier/);
        return true;
      },
    );
    assert.deepEqual(processesOf(folders.runFolder), []);
  });

  void test('that is given up leaves no process, whenever that is', async (context) => {
    const t = inReverse(context);
    for (const delayMs of [0, 1, 5, 10, 20, 40]) {
      const folders = testFolder(t);
      const reason = new Error('enough');
      const controller = new AbortController();
      systemClock.setTimer(delayMs, () => controller.abort(reason));
      // `outcome` may also be a start that was faster.
      const outcome = await startMachine(t, plainMachine(), { ...folders, spec: { signal: controller.signal } }).catch(
        (error: unknown) => error,
      );
      if (outcome === reason) await until(() => processesOf(folders.runFolder).length === 0);
      else assert.ok(outcome instanceof Object && 'monitor' in outcome, String(outcome));
    }
  });

  void test('does not write its log through a symbolic link', async (context) => {
    const t = inReverse(context);
    const folders = testFolder(t);
    symlinkSync('/etc/hostname', join(folders.folder, 'qemu.log'));
    await assert.rejects(startMachine(t, plainMachine(), folders), /ELOOP/);
  });

  void test('puts the machine into its control group before it runs', async (context) => {
    const t = inReverse(context);
    const hierarchy = await prepareCgroups(`launch-${process.pid}`);
    if (!hierarchy) {
      context.skip('no control groups that this user may change');
      return;
    }
    const tree = await CgroupTree.open(hierarchy, { clock: systemClock, log: silentLogger });
    await tree.apply([{ name: 'vm-1', holds: 'processes', limits: { tasks: 100 } }]);
    const enterGroup = (pid: number) => tree.enter('vm-1', pid);
    const vm = await startMachine(t, plainMachine(), { ...testFolder(t), spec: { enterGroup } });
    const group = new RegExp(`/vivarium/launch-${process.pid}/vm-1$`, 'm');
    for (const task of readdirSync(`/proc/${vm.process.pid}/task`)) {
      assert.match(readFileSync(`/proc/${vm.process.pid}/task/${task}/cgroup`, 'utf8'), group);
    }
    await quit(vm.monitor);
    await vm.ended;
    await tree.close();
  });

  void test('makes machines that outlive whoever started them', async (context) => {
    const t = inReverse(context);
    const folders = testFolder(t);
    const starter = spawn(process.execPath, [
      join(import.meta.dirname, 'launch-and-end.ts'),
      folders.folder,
      folders.runFolder,
    ]);
    let said = '';
    starter.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    starter.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    assert.deepEqual(await once(starter, 'exit'), [null, 'SIGKILL'], said);
    const identity = JSON.parse(said) as { pid: number; startTime: number };
    t.after(() => void signalProcess(identity, 'SIGKILL'));
    assert.ok(isAlive(identity));
    const monitor = await connectMonitor(join(folders.runFolder, 'qmp.sock'), { clock: systemClock });
    assert.ok((await queryStatus(monitor)).isRunning);
    await quit(monitor);
    await monitor.closed;
    await until(() => !isAlive(identity));
  });

  for (const jail of ['user', 'none'] as const) {
    void test(`works in jail mode ${jail}`, async (context) => {
      const t = inReverse(context);
      const folders = testFolder(t);
      for (const folder of Object.values(folders)) disown(folder);
      const { monitor } = await startMachine(t, plainMachine(), { ...folders, spec: { jail } });
      assert.ok((await queryStatus(monitor)).isRunning);
    });
  }
});

/** Processes that have the folder in their command line or mounted. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      const text = readFileSync(`/proc/${pid}/cmdline`, 'latin1') + readFileSync(`/proc/${pid}/mountinfo`, 'latin1');
      return text.includes(folder);
    } catch {
      return false;
    }
  });
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = systemClock.monotonic() + 10_000;
  while (!isSo()) {
    assert.ok(systemClock.monotonic() < deadline, 'not in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
