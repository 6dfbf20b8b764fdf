import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { CgroupHierarchy } from './cgroup-hierarchy.ts';
import { type Group, type GroupFolder, Layout } from './cgroup-layout.ts';
import { planWrites } from './cgroup-steps.ts';

const unified = { version: 2, folder: '/cg/host', enabled: ['cpu', 'memory', 'pids'] } as const;
const separate = { version: 1, folders: { cpu: '/c/host', memory: '/m/host' } } as const;
const limits = { cpuShares: 2048, cpuLimit: 1.5, guaranteedBytes: 1024 ** 3, ceilingBytes: 2 * 1024 ** 3, tasks: 100 };
const pool: Group = { name: 'pool1', holds: 'groups', limits: {} };
const vm: Group = { name: 'vm-1', parent: 'pool1', holds: 'processes', limits };

const layOut = (hierarchy: CgroupHierarchy, groups: readonly Group[]): readonly GroupFolder[] =>
  new Layout(hierarchy).update(groups).changed;

void suite('control groups as folders and files', () => {
  void test('of version 2 are one tree of weights, quotas, guarantees and ceilings', () => {
    assert.deepEqual(
      layOut(unified, [pool, vm]).map(({ path, values }) => [path, values]),
      [
        [
          '/cg/host/pool1',
          {
            'cpu.weight': '39',
            'cpu.max': 'max 100000',
            'memory.min': '0',
            'memory.high': 'max',
            'pids.max': 'max',
          },
        ],
        [
          '/cg/host/pool1/vm-1',
          {
            'cpu.weight': '79',
            'cpu.max': '150000 100000',
            'memory.min': '1073741824',
            'memory.high': '2147483648',
            'pids.max': '100',
          },
        ],
      ],
    );
  });

  void test('of version 1 mirror the tree for processors only, and use what controllers there are', () => {
    assert.deepEqual(
      layOut(separate, [pool, vm]).map(({ path, values }) => [path, values]),
      [
        ['/c/host/pool1', { 'cpu.shares': '1024', 'cpu.cfs_quota_us': '-1' }],
        ['/c/host/pool1/vm-1', { 'cpu.shares': '2048', 'cpu.cfs_quota_us': '150000' }],
        ['/m/host/vm-1', { 'memory.soft_limit_in_bytes': '1073741824' }],
      ],
    );
  });

  void test('stay within what the kernel takes', () => {
    const values = (change: object) => layOut(unified, [{ ...pool, limits: change }])[0]?.values;
    assert.equal(values({ cpuShares: 1e9 })?.['cpu.weight'], '10000');
    assert.equal(values({ cpuShares: 0 })?.['cpu.weight'], '1');
    assert.equal(values({ cpuLimit: 0 })?.['cpu.max'], '1000 100000');
    assert.equal(values({ guaranteedBytes: 1 })?.['memory.min'], '4096', 'whole pages');
  });

  void test('have names of their own that stay where they are', () => {
    for (const name of ['', '.', '../x', 'a/b', '-x', 'cpu.max']) {
      assert.throws(() => layOut(unified, [{ ...pool, name }]), RangeError, name);
    }
    assert.throws(() => layOut(unified, [vm, pool]), RangeError, 'the parent comes first');
    assert.throws(() => layOut(unified, [pool, pool]), RangeError);
  });

  void test('are written only where something changes', () => {
    const folders = layOut(separate, [pool, vm]);
    const known = new Map(
      folders.flatMap(({ path, values }) =>
        Object.entries(values).map(([name, value]): [string, string] => [`${path}/${name}`, value]),
      ),
    );
    assert.deepEqual(planWrites(folders, known), []);
    known.set('/c/host/pool1/cpu.shares', '512');
    assert.deepEqual(
      planWrites(folders, known).map(({ file, value }) => [file, value]),
      [['/c/host/pool1/cpu.shares', '1024']],
    );
  });

  void test('never have a quota above one around them, at any moment of any change', () => {
    const quota = fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined });
    const depth = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(depth, fc.array(quota, { minLength: 5 }), fc.array(quota, { minLength: 5 }), (levels, a, b) => {
        const known = new Map<string, string>();
        for (const wish of [a, b]) {
          const folders = layOut(separate, chain(levels, wish));
          for (const { file, value } of planWrites(folders, known)) {
            known.set(file, value);
            assertNested(folders.map(({ path }) => Number(known.get(`${path}/cpu.cfs_quota_us`) ?? -1)));
          }
        }
      }),
    );
  });

  void test('are worked out anew only where the tree has changed', () => {
    const layout = new Layout(separate);
    const other: Group = { name: 'vm-2', holds: 'processes', limits: {} };
    layout.update([pool, vm, other]);
    const paths = ({ changed, left }: ReturnType<Layout['update']>) => [changed.map(({ path }) => path), left];
    assert.deepEqual(paths(layout.update([pool, vm, { ...other, limits: {} }])), [[], []]);
    assert.deepEqual(paths(layout.update([pool, vm, { ...other, limits: { tasks: 5 } }])), [
      ['/c/host/vm-2', '/m/host/vm-2'],
      [],
    ]);
    assert.deepEqual(paths(layout.update([pool, { name: 'vm-1', holds: 'processes', limits }])), [
      ['/c/host/vm-1', '/m/host/vm-1'],
      ['/c/host/pool1/vm-1', '/c/host/vm-2', '/m/host/vm-2'],
    ]);
    assert.deepEqual(paths(layout.update([pool], new Set(['pool1']))), [
      ['/c/host/pool1'],
      ['/c/host/vm-1', '/m/host/vm-1'],
    ]);
    assert.deepEqual(layout.foldersOf('vm-1'), []);
  });
});

/** Groups in one another, each limited to less than all around it, or not at all. */
function chain(levels: number, wishes: readonly (number | undefined)[]): Group[] {
  let around = Number.POSITIVE_INFINITY;
  return Array.from({ length: levels }, (_, level) => {
    const wish = wishes[level];
    const cpuLimit = wish !== undefined && wish < around ? wish : undefined;
    around = Math.min(around, wish ?? around);
    return {
      name: `g${level}`,
      ...(level === 0 ? {} : { parent: `g${level - 1}` }),
      holds: 'groups',
      limits: cpuLimit === undefined ? {} : { cpuLimit },
    };
  });
}

/** The kernel's rule for version 1. */
function assertNested(quotas: readonly number[]): void {
  let around = Number.POSITIVE_INFINITY;
  for (const quota of quotas) {
    if (quota < 0) continue;
    assert.ok(quota <= around, `${quotas.join(' > ')}`);
    around = quota;
  }
}
