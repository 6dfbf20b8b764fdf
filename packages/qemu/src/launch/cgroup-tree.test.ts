import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { delay, silentLogger } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { prepareCgroups } from './cgroup-hierarchy.ts';
import type { Group } from './cgroup-layout.ts';
import { CgroupTree } from './cgroup-tree.ts';

const INSTANCE = `test-${process.pid}`;
const hierarchy = await prepareCgroups(INSTANCE);
const skip = hierarchy ? false : 'no control groups that this user may change';

async function openTree(t: TestContext, complaints: object[] = []): Promise<CgroupTree> {
  const found = await prepareCgroups(INSTANCE);
  assert.ok(found);
  const log = { ...silentLogger, error: (data: object) => void complaints.push(data) };
  const tree = await CgroupTree.open(found, { clock: systemClock, log });
  t.after(() => tree.close());
  return tree;
}

const group = (name: string, parent?: string, limits: Group['limits'] = {}): Group => ({
  name,
  ...(parent === undefined ? {} : { parent }),
  holds: name.startsWith('vm') ? 'processes' : 'groups',
  limits,
});

async function sleeper(t: TestContext): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn('sleep', ['1000']);
  t.after(() => end(child));
  return child as ChildProcess & { readonly pid: number };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** The group of a process in the hierarchy of processors, below our folder. */
function groupOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  return new RegExp(`^\\d+:(?:cpu|):/vivarium/${INSTANCE}/?(.*)$`, 'm').exec(text)?.[1] ?? 'elsewhere';
}

function folders(): string[] {
  const roots = hierarchy?.version === 2 ? [hierarchy.folder] : Object.values(hierarchy?.folders ?? {});
  return roots
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

async function emptied(name: string): Promise<void> {
  for (let tries = 0; tries < 500 && folders().includes(name); tries++) await delay(systemClock, 10);
  assert.ok(!folders().includes(name), name);
}

void suite('a tree of control groups', { skip }, () => {
  void test('is made, changed, and gone when nothing wants it any more', async (t) => {
    const complaints: object[] = [];
    const tree = await openTree(t, complaints);
    await tree.apply([group('pool1', undefined, { cpuLimit: 1 }), group('vm-1', 'pool1', { cpuLimit: 0.5 })]);
    await tree.apply([group('pool1', undefined, { cpuLimit: 0.4 }), group('vm-1', 'pool1', { cpuLimit: 0.2 })]);
    await tree.apply([group('pool1', undefined, { cpuLimit: 2 }), group('vm-1', 'pool1', { cpuLimit: 1 })]);
    assert.deepEqual(complaints, []);
    await tree.apply([group('pool1')]);
    await emptied('vm-1');
    await tree.apply([]);
    await emptied('pool1');
  });

  void test('takes its processes along when a group moves', async (t) => {
    const complaints: object[] = [];
    const tree = await openTree(t, complaints);
    const pools = [group('pool1', undefined, { cpuLimit: 1 }), group('pool2')];
    await tree.apply([...pools, group('vm-1', 'pool1', { cpuLimit: 0.9 })]);
    const child = await sleeper(t);
    await tree.enter('vm-1', child.pid);
    assert.equal(groupOf(child.pid), 'pool1/vm-1');
    await tree.apply([...pools, group('vm-1', 'pool2')]);
    assert.equal(groupOf(child.pid), 'pool2/vm-1');
    // And now into a pool inside, while the one that it leaves goes.
    await tree.apply([group('pool1', undefined, { cpuLimit: 0.1 }), group('pool3', 'pool1'), group('vm-1', 'pool3')]);
    assert.equal(groupOf(child.pid), 'pool1/pool3/vm-1');
    assert.deepEqual(complaints, []);
    await emptied('pool2');
  });

  void test('is found again by the next one, which mends it', async (t) => {
    const first = await openTree(t);
    await first.apply([
      group('pool1', undefined, { cpuLimit: 1 }),
      group('vm-1', 'pool1', { cpuLimit: 0.9 }),
      group('vm-2'),
    ]);
    const child = await sleeper(t);
    await first.enter('vm-1', child.pid);
    const complaints: object[] = [];
    const second = await openTree(t, complaints);
    await second.apply([group('pool1', undefined, { cpuLimit: 0.5 }), group('pool2'), group('vm-1', 'pool2')]);
    assert.equal(groupOf(child.pid), 'pool2/vm-1');
    assert.deepEqual(complaints, []);
    await emptied('vm-2');
  });

  void test('waits with a group until its last process has left', async (t) => {
    const tree = await openTree(t);
    await tree.apply([group('vm-1')]);
    const child = await sleeper(t);
    await tree.enter('vm-1', child.pid);
    await tree.apply([]);
    assert.equal(groupOf(child.pid), 'vm-1');
    await end(child);
    await emptied('vm-1');
  });

  void test('complains of what fails, and goes on', async (t) => {
    const complaints: object[] = [];
    const tree = await openTree(t, complaints);
    await tree.apply([group('vm-1')]);
    await assert.rejects(tree.enter('vm-2', 1), RangeError);
    // More than the kernel has room for.
    await tree.apply([group('vm-1', undefined, { tasks: 1e12, cpuShares: 2 })]);
    assert.equal(complaints.length, 1);
  });
});

void test('control groups are not there where nothing looks like them', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'vivarium-cgroup-'));
  t.after(() => rmSync(root, { recursive: true }));
  assert.equal(await prepareCgroups('esx1', root), undefined);
  writeFileSync(join(root, 'cgroup.controllers'), 'io rdma\n');
  assert.equal(await prepareCgroups('esx1', root), undefined);
  await assert.rejects(prepareCgroups('../esx1', root), RangeError);
});
