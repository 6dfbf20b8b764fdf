import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { systemClock } from '@vivarium/base/node';
import {
  addToCgroup,
  createCgroup,
  limitFiles,
  parseThrottled,
  prepareCgroups,
  readThrottledNs,
  removeCgroup,
  setCgroupLimits,
} from './cgroup.ts';

const limits = { cpuShares: 2048, cpuLimit: 1.5, memoryBytes: 1024 ** 3, tasks: 100 };

void suite('control groups', () => {
  void test('of version 2 take weights, quotas and limits', () => {
    const cgroup = { hierarchy: { version: 2, folder: '/cg' }, name: 'vm-1' } as const;
    const values = (value: object) => limitFiles(cgroup, value).map(({ file, value: text }) => [file, text]);
    assert.deepEqual(values(limits), [
      ['/cg/vm-1/cpu.weight', '79'],
      ['/cg/vm-1/cpu.max', '150000 100000'],
      ['/cg/vm-1/memory.max', '1073741824'],
      ['/cg/vm-1/pids.max', '100'],
    ]);
    assert.deepEqual(
      values({}).map(([, text]) => text),
      ['39', 'max 100000', 'max', 'max'],
    );
    assert.deepEqual(
      values({ cpuShares: 1e9, cpuLimit: 0 }).map(([, text]) => text),
      ['10000', '1000 100000', 'max', 'max'],
    );
  });

  void test('of version 1 take what their controllers are there for', () => {
    const hierarchy = { version: 1, folders: { cpu: '/c/vivarium', memory: '/m/vivarium' } } as const;
    assert.deepEqual(
      limitFiles({ hierarchy, name: 'vm-1' }, limits).map(({ file, value }) => [file, value]),
      [
        ['/c/vivarium/vm-1/cpu.shares', '2048'],
        ['/c/vivarium/vm-1/cpu.cfs_period_us', '100000'],
        ['/c/vivarium/vm-1/cpu.cfs_quota_us', '150000'],
        ['/m/vivarium/vm-1/memory.limit_in_bytes', '1073741824'],
      ],
    );
  });

  void test('are not there where nothing looks like them', async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'vivarium-cgroup-'));
    t.after(() => rmSync(root, { recursive: true }));
    assert.equal(await prepareCgroups(root), undefined);
    writeFileSync(join(root, 'cgroup.controllers'), 'io rdma\n');
    assert.equal(await prepareCgroups(root), undefined);
  });

  void test('leave nothing behind when a limit is refused', async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'vivarium-cgroup-'));
    t.after(() => rmSync(root, { recursive: true }));
    const folders = { memory: join(root, 'memory'), pids: join(root, 'no-such', 'pids') };
    mkdirSync(folders.memory);
    await assert.rejects(createCgroup({ version: 1, folders }, 'vm-1', limits));
    assert.ok(!existsSync(join(folders.memory, 'vm-1')));
  });

  void test('tell for how long their limit held them back, in either version', () => {
    assert.equal(parseThrottled('nr_periods 3\nnr_throttled 2\nthrottled_time 1500\nburst_time 0\n'), 1500);
    assert.equal(parseThrottled('usage_usec 9\nnr_throttled 2\nthrottled_usec 1500\n'), 1_500_000);
    assert.equal(parseThrottled('usage_usec 9\n'), undefined);
    assert.equal(readThrottledNs({ hierarchy: { version: 2, folder: '/nowhere' }, name: 'vm-1' }), undefined);
  });

  void test('have names that stay where they are', async () => {
    const hierarchy = { version: 2, folder: '/nowhere' } as const;
    for (const name of ['', '.', '../x', 'a/b', '-x'])
      await assert.rejects(createCgroup(hierarchy, name, {}), RangeError);
  });

  void test('hold real processes to real limits', async (t) => {
    const hierarchy = await prepareCgroups();
    if (!hierarchy) {
      t.skip('no control groups that this user may change');
      return;
    }
    const cgroup = await createCgroup(hierarchy, `test-${process.pid}`, limits);
    t.after(() => removeCgroup(cgroup, systemClock));
    for (const { file, value } of limitFiles(cgroup, limits)) assert.equal(readFileSync(file, 'utf8').trim(), value);
    const child = spawn('sleep', ['1000']);
    await addToCgroup(cgroup, child.pid ?? 0);
    assert.match(readFileSync(`/proc/${child.pid}/cgroup`, 'utf8'), new RegExp(`/vivarium/${cgroup.name}$`, 'm'));
    await setCgroupLimits(cgroup, {});
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await removeCgroup(cgroup, systemClock);
    await removeCgroup(cgroup, systemClock);
    for (const { file } of limitFiles(cgroup, limits)) assert.ok(!existsSync(file));
  });
});
