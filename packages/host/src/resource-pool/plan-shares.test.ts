import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planShares, type SharePlan } from './plan-shares.ts';
import { type PoolNode, ROOT_POOL, type VmNode } from './share-tree.ts';
import { poolNode, shareTree, vmNode } from './test-tree.ts';

const MHZ = 4000;

const plan = (pools: readonly PoolNode[], vms: readonly VmNode[]): SharePlan => planShares(shareTree(MHZ, pools, vms));

const share = (of: SharePlan, id: string) => {
  const found = of.vms.get(id) ?? of.pools.find((pool) => pool.id === id);
  assert.ok(found, id);
  return found;
};

const vmShare = (of: SharePlan, id: string) => {
  const found = of.vms.get(id);
  assert.ok(found, id);
  return found;
};

const cpu = (reservation: number, limit = Infinity, shares = 1000) => ({ cpu: { reservation, limit, shares } });
const memory = (reservation: number, limit = Infinity, shares = 10_240) => ({ memory: { reservation, limit, shares } });

void test('weights are shares where nothing is reserved', () => {
  const of = plan(
    [poolNode('a', ROOT_POOL, { shares: 1000 }), poolNode('b', ROOT_POOL, { shares: 4000 })],
    [vmNode('1', 'a'), vmNode('2', 'b'), vmNode('3', ROOT_POOL, cpu(0, Infinity, 2000))],
  );
  assert.deepEqual(
    ['a', 'b', '3', '1'].map((id) => share(of, id).cpuWeight),
    [1000, 4000, 2000, 1000],
  );
});

void test('a reservation weighs as much as it takes when everybody is busy', () => {
  // 4000 MHz: 3000 of them are reserved, the other two share the rest.
  const of = plan([], [vmNode('1', ROOT_POOL, cpu(3000)), vmNode('2', ROOT_POOL), vmNode('3', ROOT_POOL)]);
  assert.deepEqual(
    ['1', '2', '3'].map((id) => share(of, id).cpuWeight),
    [6000, 1000, 1000],
  );
  // One that the shares give anyway changes nothing.
  const less = plan([], [vmNode('1', ROOT_POOL, cpu(1000)), vmNode('2', ROOT_POOL), vmNode('3', ROOT_POOL)]);
  assert.equal(share(less, '1').cpuWeight, 1000);
});

void test('pools in which nothing runs take part in nothing', () => {
  const of = plan(
    [poolNode('a', ROOT_POOL, { reservation: 3900 })],
    [vmNode('1', ROOT_POOL), vmNode('2', ROOT_POOL, cpu(1500))],
  );
  assert.equal(share(of, '2').cpuWeight, 1000);
  assert.equal(share(of, 'a').cpuWeight, 4000);
});

void test('a limit is a quota only where it is less than those around it', () => {
  const of = plan(
    [
      poolNode('a', ROOT_POOL, { limit: 1000 }),
      poolNode('b', 'a', { limit: 2000 }),
      poolNode('c', 'b', { limit: 500 }),
    ],
    [vmNode('1', 'c', cpu(0, 800)), vmNode('2', 'c', cpu(0, 100)), vmNode('3', 'b', { numCPU: 2 })],
  );
  assert.deepEqual(
    ['a', 'b', 'c', '1', '2', '3'].map((id) => share(of, id).cpuLimitMhz),
    [1000, undefined, 500, undefined, 100, undefined],
  );
  assert.deepEqual(
    ['1', '2', '3'].map((id) => vmShare(of, id).maxCpuMhz),
    [500, 100, 1000],
  );
});

void test('a VM without a limit may have all its memory; one with a limit gets it by the balloon', () => {
  const of = plan(
    [],
    [vmNode('1', ROOT_POOL), vmNode('2', ROOT_POOL, memory(0, 768)), vmNode('3', ROOT_POOL, memory(0, 100))],
  );
  assert.deepEqual(
    ['1', '2', '3'].map((id) => [vmShare(of, id).allowedMB, vmShare(of, id).balloonTargetMB]),
    [
      [1024, 1024],
      [768, 768],
      [100, 359], // a balloon takes no more than 65 %
    ],
  );
});

void test("a pool's limit of memory is divided by shares, overhead included, reservations first", () => {
  const pools = [poolNode('a', ROOT_POOL, {}, { limit: 1100 })];
  const of = plan(pools, [
    vmNode('1', 'a', { overheadMB: 50, ...memory(0, Infinity, 10_000) }),
    vmNode('2', 'a', { overheadMB: 50, ...memory(0, Infinity, 30_000) }),
  ]);
  assert.deepEqual([vmShare(of, '1').allowedMB, vmShare(of, '2').allowedMB], [225, 775]);
  const reserved = plan(pools, [
    vmNode('1', 'a', { overheadMB: 50, ...memory(450, Infinity, 10_000) }),
    vmNode('2', 'a', { overheadMB: 50, ...memory(0, Infinity, 30_000) }),
  ]);
  assert.deepEqual([vmShare(reserved, '1').allowedMB, vmShare(reserved, '2').allowedMB], [450, 550]);
  const small = plan(pools, [vmNode('1', 'a', { memoryMB: 512 }), vmNode('2', 'a', { memoryMB: 512 })]);
  assert.equal(vmShare(small, '1').allowedMB, 512, 'a limit that nobody reaches');
});

void test('what a pool has reserved is guaranteed to its VMs; at the top everybody has his own', () => {
  const of = plan(
    [poolNode('a', ROOT_POOL, {}, { reservation: 1200 }), poolNode('idle', ROOT_POOL, {}, { reservation: 1000 })],
    [
      vmNode('1', 'a', { overheadMB: 50 }),
      vmNode('2', 'a', { overheadMB: 50, ...memory(800) }),
      vmNode('3', ROOT_POOL, { overheadMB: 50 }),
      vmNode('4', ROOT_POOL, { overheadMB: 50, ...memory(100) }),
    ],
  );
  assert.deepEqual(
    ['a', 'idle', '1', '2', '3', '4'].map((id) => share(of, id).guaranteedMB),
    [1200, 0, 350, 850, 50, 150],
  );
});

void test('weights fit into what control groups can tell apart', () => {
  const of = plan(
    [],
    [vmNode('1', ROOT_POOL, cpu(0, Infinity, 1_000_000)), vmNode('2', ROOT_POOL, cpu(0, Infinity, 250_000))],
  );
  assert.deepEqual(
    ['1', '2'].map((id) => share(of, id).cpuWeight),
    [250_000, 62_500],
  );
});

const vms = fc.array(
  fc.record({
    pool: fc.integer({ min: 0, max: 4 }),
    reservation: fc.integer({ min: 0, max: 400 }),
    shares: fc.integer({ min: 500, max: 8000 }),
  }),
  { minLength: 1, maxLength: 9 },
);

void test('with everybody busy, weights alone give each VM at least what it has reserved', () => {
  fc.assert(
    fc.property(vms, fc.array(fc.nat(3), { minLength: 5, maxLength: 5 }), (wishes, parents) => {
      const pools = parents.map((parent, index) => poolNode(`p${index}`, parent < index ? `p${parent}` : ROOT_POOL));
      const all = wishes.map(({ pool, reservation, shares }, index) =>
        vmNode(`v${index}`, `p${pool}`, cpu(reservation, Infinity, shares)),
      );
      const gets = scheduled(plan(pools, all), all);
      for (const vm of all) {
        const got = gets.get(vm.id) ?? 0;
        // Weights are whole numbers: a share in a thousand is lost at each level.
        assert.ok(got >= vm.cpu.reservation * 0.99 - 1, `${vm.id} gets ${got} of ${vm.cpu.reservation}`);
      }
    }),
  );
});

/** What a scheduler that divides by weight, level by level, gives when everybody is busy. */
function scheduled(of: SharePlan, all: readonly VmNode[]): Map<string, number> {
  const found = new Map<string, number>();
  const busy = (id: string): boolean =>
    all.some(({ pool }) => pool === id) || of.pools.some(({ id: child, parent }) => parent === id && busy(child));
  const give = (parent: string | undefined, mhz: number): void => {
    const children = [
      ...of.pools.filter((pool) => pool.parent === parent && busy(pool.id)),
      ...[...of.vms.values()].filter((vm) => vm.parent === parent),
    ];
    const sum = children.reduce((total, { cpuWeight }) => total + cpuWeight, 0);
    for (const { id, cpuWeight } of children) {
      const part = (mhz * cpuWeight) / sum;
      found.set(id, part);
      if (!of.vms.has(id)) give(id, part);
    }
  };
  give(undefined, MHZ);
  return found;
}
