// Any sequence of changes, admitted or refused, leaves pools, reservations, control groups and the store in agreement; and the
// next hostd finds the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { normalPoolAllocation } from '@vivarium/drs/resource-pool';
import type { Group } from '@vivarium/qemu';
import type { Doc, Op } from '@vivarium/store';
import { isFault, make, type ResourceAllocationInfo } from '@vivarium/vim';
import fc from 'fast-check';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { ResourcePools } from './resource-pools.ts';
import { ROOT_POOL, type VmDemand } from './share-tree.ts';
import { vmNode } from './test-tree.ts';
import type { Admission } from './vm-resources.ts';

const CPU = 10_000;
const MEMORY = 10_000;

class World {
  readonly documents = new Map<string, unknown>();
  readonly groups = new Map<string, Group>();
  readonly running = new Map<string, { readonly demand: VmDemand; readonly admission: Admission }>();
  readonly vms = new Set<string>();
  pools = this.open();

  open(): ResourcePools {
    const { documents, groups } = this;
    const clock = new VirtualClock();
    return new ResourcePools({
      clock,
      log: silentLogger,
      capacity: { cpu: CPU, memory: MEMORY },
      cpuMhz: 2000,
      store: {
        get: <T>(key: string) => (documents.has(key) ? (doc(key, documents.get(key)) as Doc<T>) : undefined),
        range: <T>(prefix: string) =>
          [...documents.keys()]
            .filter((key) => key.startsWith(prefix))
            .sort()
            .map((key) => doc(key, documents.get(key)) as Doc<T>),
        batch: async (ops: readonly Op[]) => {
          for (const op of ops) {
            if ('put' in op) documents.set(op.put, structuredClone(op.value));
            else documents.delete(op.delete);
          }
          return 1;
        },
      },
      groups: {
        async apply(wanted) {
          groups.clear();
          for (const group of wanted) groups.set(group.name, group);
        },
        enter: async () => undefined,
        throttledNs: () => undefined,
      },
    });
  }

  async restart(): Promise<void> {
    this.pools = this.open();
    for (const [vm, { demand }] of this.running) {
      this.running.set(vm, { demand, admission: this.pools.adopt(vm, demand, () => undefined) });
    }
    await this.pools.start(this.vms);
  }

  /** What can be seen from outside. */
  picture() {
    const { pools } = this;
    return {
      pools: pools.all.map(({ id, parent, name, cpu }) => [id, parent, name, cpu.reservation, cpu.limit]).sort(),
      vms: [...this.vms].map((vm) => [vm, pools.poolOf(vm)]),
      usage: pools.all.map(({ id }) => [id, pools.tree.usage(id)]).sort(),
      groups: [...this.groups.values()].map(({ name, parent }) => [name, parent]).sort(),
    };
  }
}

function doc(key: string, value: unknown): Doc {
  return { key, value: structuredClone(value), revision: 1 };
}

function mayReserve({ reservation = 0, limit = -1, expandableReservation }: ResourceAllocationInfo): number {
  if (!expandableReservation) return reservation;
  return limit < 0 ? Infinity : limit;
}

const pick = fc.nat(11);
const amount = fc.integer({ min: 0, max: 4000 });
const change = fc.record({
  kind: fc.constantFrom(
    ...(['make', 'make', 'vm', 'on', 'on', 'moveVm', 'moveVm', 'update', 'update', 'move'] as const),
    ...(['change', 'off', 'destroy', 'clear', 'restart'] as const),
  ),
  at: pick,
  to: pick,
  amount,
  limit: fc.option(amount, { nil: -1 }),
  isExpandable: fc.boolean(),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

async function perform(world: World, { kind, at, to, amount: size, limit, isExpandable }: Change): Promise<void> {
  const { pools } = world;
  const poolAt = (index: number) => pools.all[index % pools.all.length]?.id ?? ROOT_POOL;
  const vmAt = (index: number) => [...world.vms][index % Math.max(1, world.vms.size)] ?? 'none';
  const given = { reservation: size, limit: limit < 0 ? -1 : size + limit, expandableReservation: isExpandable };
  const spec = make('ResourceConfigSpec', {
    cpuAllocation: { ...normalPoolAllocation('cpu'), ...given },
    memoryAllocation: { ...normalPoolAllocation('memory'), ...given },
  });
  const demand = vmNode('', '', { cpu: { reservation: size }, memory: { reservation: size }, overheadMB: 7 });
  const running = world.running.get(vmAt(at));
  switch (kind) {
    case 'make':
      return void (await pools.create(poolAt(at), `pool ${to}`, spec));
    case 'update':
      return pools.update(poolAt(at), to % 3 === 0 ? `pool ${to}` : undefined, spec);
    case 'move':
      return pools.move(poolAt(at), poolAt(to));
    case 'destroy':
      return pools.destroy(poolAt(at));
    case 'clear':
      return to % 6 === 0 ? pools.destroyChildren(poolAt(at)) : undefined;
    case 'vm': {
      const vm = `v${world.vms.size}`;
      for (const op of pools.place(vm, poolAt(at))) if ('put' in op) world.documents.set(op.put, op.value);
      return void world.vms.add(vm);
    }
    case 'moveVm':
      return world.vms.size === 0 ? undefined : pools.moveVm(vmAt(at), poolAt(to));
    case 'on':
      if (world.vms.size === 0 || running) return;
      return void world.running.set(vmAt(at), { demand, admission: pools.admit(vmAt(at), demand, () => undefined) });
    case 'change':
      if (!running) return;
      running.admission.change(demand);
      return void world.running.set(vmAt(at), { ...running, demand });
    case 'off':
      running?.admission.release();
      return void world.running.delete(vmAt(at));
    case 'restart':
      return world.restart();
  }
}

void test('whatever happens, everybody agrees on it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 30, maxLength: 80 }), async (changes) => {
      const world = new World();
      await world.pools.start(world.vms);
      for (const one of changes) {
        const before = world.picture();
        const isRefused = await perform(world, one).then(
          () => false,
          (error: unknown) => {
            if (!isFault(error, 'MethodFault')) throw error;
            return true;
          },
        );
        const now = world.picture();
        if (isRefused || one.kind === 'restart') assert.deepEqual(now, before, JSON.stringify(one));
        const ids = new Set(world.pools.all.map(({ id }) => id));
        for (const { parent } of world.pools.all) assert.ok(parent === undefined || ids.has(parent));
        for (const pool of world.pools.all) {
          const { cpu, memory } = world.pools.tree.usage(pool.id);
          assert.ok(cpu.reservationUsed <= mayReserve(pool.cpu), `${pool.id}: ${JSON.stringify(one)}`);
          assert.ok(memory.reservationUsed <= mayReserve(pool.memory), `${pool.id}: ${JSON.stringify(one)}`);
        }
        for (const vm of world.running.keys()) {
          const pool = world.pools.poolOf(vm);
          assert.equal(world.groups.get(`vm-${vm}`)?.parent, pool === ROOT_POOL ? undefined : pool);
        }
        assert.equal(world.groups.size, ids.size - 1 + world.running.size);
      }
      const last = world.picture();
      await world.restart();
      assert.deepEqual(world.picture(), last);
    }),
    { numRuns: 300 },
  );
});
