import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findPoolChangeFault, findReservationFault } from '../resource-pool/admission.ts';
import type { Allocation } from '../resource-pool/allocation.ts';
import { PoolTree } from '../resource-pool/pool-tree.ts';
import {
  type DividedPool,
  type DividedVm,
  type DivisionTolerance,
  type LocalPool,
  PoolDivision,
} from './pool-division.ts';

const HOSTS = ['h1', 'h2', 'h3', 'h4'];
const POOLS = { a: 'root', b: 'root', a1: 'a', a2: 'a', b1: 'b', a11: 'a1' } as const;
const USUAL: DivisionTolerance = { relative: 0.1, absolute: { cpuMhz: 100, memoryMB: 100 } };
const NONE: Allocation = { reservation: 0, isExpandable: true, limit: Infinity, shares: 4000 };

const amount = fc.integer({ min: 0, max: 4000 });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('vm' as const),
      id: fc.nat({ max: 14 }),
      pool: fc.constantFrom('root', ...Object.keys(POOLS)),
      host: fc.constantFrom(...HOSTS),
      reservation: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1500 })),
      demand: amount,
      shares: fc.constantFrom(500, 1000, 2000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('demand' as const), id: fc.nat({ max: 14 }), demand: amount }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('off' as const), id: fc.nat({ max: 14 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pool' as const),
      pool: fc.constantFrom(...(Object.keys(POOLS) as (keyof typeof POOLS)[])),
      reservation: amount,
      isExpandable: fc.boolean(),
      limit: fc.oneof(fc.constant(Infinity), amount, fc.constant(-1)),
      shares: fc.constantFrom(2000, 4000, 8000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('host' as const),
      host: fc.constantFrom(...HOSTS),
      capacity: fc.integer({ min: 2000, max: 12_000 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A cluster that admits changes as vCenter does, and its division, told of each change by itself. CPU and memory are the same numbers. */
class World {
  readonly capacity: Map<string, number>;
  readonly pools = new Map<string, DividedPool>();
  readonly vms = new Map<string, DividedVm>();
  readonly tree: PoolTree;
  readonly division: PoolDivision;
  /** As the hosts have it: made of what they were told only. */
  readonly hosts = new Map<string, Map<string, LocalPool>>(HOSTS.map((host) => [host, new Map()]));
  told = 0;

  constructor(hostCapacity: number, tolerance = USUAL) {
    this.capacity = new Map(HOSTS.map((host) => [host, hostCapacity]));
    const total = HOSTS.length * hostCapacity;
    this.tree = new PoolTree('root', { cpuMhz: total, memoryMB: total });
    this.division = new PoolDivision('root', tolerance);
    for (const [pool, parent] of Object.entries(POOLS)) {
      this.tree.addPool(pool, parent, { cpu: NONE, memory: NONE });
      this.pools.set(pool, { pool, parent, cpu: NONE, memory: NONE });
    }
    this.tell({ hosts: { set: this.hostList() }, pools: { set: [...this.pools.values()] } });
  }

  hostList() {
    return [...this.capacity].map(([host, size]) => ({ host, capacity: { cpuMhz: size, memoryMB: size } }));
  }

  tell(changes: Parameters<PoolDivision['apply']>[0]): void {
    const updates = this.division.apply(changes);
    this.told = updates.length;
    for (const { host, set, removed } of updates) {
      for (const pool of removed) assert.ok(this.hosts.get(host)?.delete(pool));
      for (const item of set) {
        assert.ok(item.parent === 'root' || this.hosts.get(host)?.has(item.parent), 'parents come first');
        this.hosts.get(host)?.set(item.pool, item);
      }
    }
  }

  do(action: Step): void {
    if (action.kind === 'host') {
      const used = [...this.vms.values()].filter(({ host }) => host === action.host);
      if (used.reduce((sum, { cpu }) => sum + cpu.reservation, 0) > action.capacity) return;
      this.capacity.set(action.host, action.capacity);
      const size = { cpuMhz: action.capacity, memoryMB: action.capacity };
      this.tell({ hosts: { set: [{ host: action.host, capacity: size }] } });
    } else if (action.kind === 'pool') {
      const { kind: _, pool, ...given } = action;
      // Often the limit is just what is reserved.
      const settings = given.limit < 0 ? { ...given, limit: given.reservation } : given;
      if (settings.limit < settings.reservation || findPoolChangeFault(this.tree, pool, both(settings))) return;
      this.tree.changePool(pool, both(settings));
      this.pools.set(pool, { pool, parent: POOLS[pool], ...both(settings) });
      this.tell({ pools: { set: [this.pools.get(pool) as DividedPool] } });
    } else if (action.kind === 'off') {
      this.powerOff(`vm${action.id}`);
    } else {
      const key = `vm${action.id}`;
      const old = this.vms.get(key);
      if (action.kind === 'demand') {
        if (old) this.setVm({ ...old, ...both({ ...old.cpu, demand: action.demand }) });
        return;
      }
      const { reservation, demand, shares, pool, host } = action;
      this.powerOff(key);
      const onHost = [...this.vms.values()].filter((vm) => vm.host === host);
      const reserved = onHost.reduce((sum, { cpu }) => sum + cpu.reservation, 0);
      if (reserved + reservation > (this.capacity.get(host) ?? 0)) return;
      const request = { cpuMhz: reservation, memoryMB: reservation };
      if (findReservationFault(this.tree, pool, request)) return;
      this.tree.reserve(pool, request);
      this.setVm({ vm: key, pool, host, ...both({ reservation, demand, shares, limit: Infinity }) });
    }
  }

  setVm(vm: DividedVm): void {
    this.vms.set(vm.vm, vm);
    this.tell({ vms: { set: [vm] } });
  }

  powerOff(key: string): void {
    const vm = this.vms.get(key);
    if (!vm) return;
    this.vms.delete(key);
    this.tree.release(vm.pool, { cpuMhz: vm.cpu.reservation, memoryMB: vm.memory.reservation });
    this.tell({ vms: { removed: [key] } });
  }

  isWithin(pool: string, ancestor: string): boolean {
    return this.tree.isWithin(pool, ancestor);
  }

  vmsOn(host: string, ancestor: string): DividedVm[] {
    return [...this.vms.values()].filter((vm) => vm.host === host && this.isWithin(vm.pool, ancestor));
  }
}

function both<T>(value: T): { cpu: T; memory: T } {
  return { cpu: value, memory: value };
}

const sum = <T>(items: Iterable<T>, amountOf: (item: T) => number) =>
  [...items].reduce((total, item) => total + amountOf(item), 0);

/** What the pool itself holds free on the host: not for VMs, not for pools below. */
function ownFree(world: World, pool: string, host: string): number {
  const local = world.hosts.get(host);
  const children = Object.entries(POOLS).filter(([, parent]) => parent === pool);
  const below = sum(children, ([child]) => local?.get(child)?.cpu.reservation ?? 0);
  const vms = sum(
    world.vmsOn(host, pool).filter((vm) => vm.pool === pool),
    ({ cpu }) => cpu.reservation,
  );
  return (local?.get(pool)?.cpu.reservation ?? 0) - below - vms;
}

/** What a host has promised to nobody. */
function spare(world: World, host: string): number {
  const top = Object.entries(POOLS).filter(([, parent]) => parent === 'root');
  const promised = sum(top, ([pool]) => world.hosts.get(host)?.get(pool)?.cpu.reservation ?? 0);
  const direct = sum(
    world.vmsOn(host, 'root').filter((vm) => vm.pool === 'root'),
    ({ cpu }) => cpu.reservation,
  );
  return (world.capacity.get(host) ?? 0) - promised - direct;
}

function check(world: World): void {
  for (const host of HOSTS) {
    assert.ok(spare(world, host) >= 0, `${host} promises more than it has`);
    assert.deepEqual(
      [...(world.hosts.get(host)?.values() ?? [])].map(({ pool }) => pool).sort(),
      world.division
        .treeOf(host)
        .map(({ pool }) => pool)
        .sort(),
    );
  }
  for (const [pool, { cpu: settings }] of world.pools) {
    const hosts = HOSTS.filter((host) => world.vmsOn(host, pool).length > 0);
    const parts = hosts.map((host) => {
      const part = world.hosts.get(host)?.get(pool);
      assert.ok(part, `${pool} is on ${host}`);
      assert.deepEqual(part.memory, part.cpu);
      return part.cpu;
    });
    for (const host of HOSTS) if (!hosts.includes(host)) assert.ok(!world.hosts.get(host)?.has(pool));
    if (hosts.length === 0) continue;

    // Reservations: all that the pool has free is on the hosts of its VMs, unless these are full.
    const free = Math.max(0, settings.reservation - world.tree.cpu.used(pool));
    const given = hosts.map((host) => ownFree(world, pool, host));
    assert.ok(given.every((value) => value >= 0));
    assert.ok(sum(given, (value) => value) <= free);
    if (sum(given, (value) => value) < free)
      for (const host of hosts) assert.equal(spare(world, host), 0, `${host} is full`);

    // Limits make up the limit, and are never below the reservation.
    const reserved = sum(parts, (part) => part.reservation);
    if (settings.limit === Infinity) assert.ok(parts.every(({ limit }) => limit === Infinity));
    else
      assert.equal(
        sum(parts, ({ limit }) => limit),
        settings.limit,
      );
    for (const part of parts) assert.ok(part.limit >= part.reservation);

    // No starvation: a twentieth of the fair part of what is not reserved, less rounding.
    const weights = hosts.map((host) => sum(world.vmsOn(host, pool), ({ cpu }) => cpu.shares));
    const weight = sum(weights, (value) => value);
    for (const [index, part] of parts.entries()) {
      const fair = (weights[index] ?? 0) / weight;
      if (settings.limit !== Infinity) {
        assert.ok(part.limit >= part.reservation + Math.floor(0.05 * (settings.limit - reserved) * fair) - 1);
      }
      // Shares: by the shares of the VMs, within the tolerance.
      assert.ok(
        Math.abs(part.shares - settings.shares * fair) <= 0.1 * settings.shares * fair + 1,
        `${part.shares} of ${settings.shares}`,
      );
    }
    assert.equal(
      sum(parts, ({ shares }) => shares),
      settings.shares,
    );
  }
}

test('whatever changes, hosts keep together what the cluster promises, and none promises more than it has', () => {
  fc.assert(
    fc.property(fc.constantFrom(4000, 10_000), fc.array(step, { maxLength: 40 }), (capacity, steps) => {
      const world = new World(capacity);
      for (const action of steps) {
        world.do(action);
        check(world);
      }
      world.tell({ vms: { set: [...world.vms.values()] }, pools: { set: [...world.pools.values()] } });
      assert.equal(world.told, 0, 'saying the same again changes nothing');
    }),
    { numRuns: 300 },
  );
});

test('without tolerance, and with room on the hosts, the way that led there does not matter', () => {
  const exact = { relative: 0, absolute: { cpuMhz: 0, memoryMB: 0 } };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World(10_000, exact);
      for (const action of steps) if (action.kind !== 'host') world.do(action);
      const anew = new PoolDivision('root', exact);
      const hosts = world.hostList();
      anew.apply({
        hosts: { set: hosts },
        pools: { set: [...world.pools.values()] },
        vms: { set: [...world.vms.values()] },
      });
      for (const { host } of hosts) {
        if (spare(world, host) > 0) continue;
        return; // A full host gave what it had to who asked first.
      }
      for (const { host } of hosts) assert.deepEqual(world.division.treeOf(host), anew.treeOf(host));
    }),
    { numRuns: 300 },
  );
});
