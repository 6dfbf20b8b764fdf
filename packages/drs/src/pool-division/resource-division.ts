// One resource of a cluster's pools, divided among the hosts on which their VMs run, and kept divided as things change.
//
// What a pool p has on host h:
//   reservation = what its VMs there reserve (of pools below too) + its part of what the pool has reserved and no VM uses yet
//                 (`free`), and the same of the pools below
//   limit       = its part of the pool's limit, never below that reservation
//   shares      = its part of the pool's shares, by the shares of the VMs there
// `free` and limit go first to where there is demand, by the shares of the VMs. Every host with VMs of the pool gets at least
// `FLOOR` of its fair part, so that VMs that were idle can begin to run.
//
// Sums over the hosts: reservations make up what the pool takes from its parent, as far as the hosts of its VMs have the capacity;
// limits make up the pool's limit, shares the pool's shares.

import { invariant } from '@vivarium/base';
import type { Allocation } from '../resource-pool/allocation.ts';
import { ReservationTree } from '../resource-pool/reservation-tree.ts';
import { divide, type Taker } from './divide.ts';
import {
  type Host,
  isOtherDemandOnly,
  type LocalAllocation,
  newPart,
  type Part,
  type Pool,
  reservationOf,
  type Vm,
  type VmLoad,
  wanted,
} from './division-state.ts';
import { settle, type Tolerance } from './settle.ts';

/** The part of its fair part that a host gets however little its VMs want. */
const FLOOR = 0.05;

/** How often pools that ask for more are asked again in one go; the next change asks them in any case. */
const MAX_ROUNDS = 8;

export interface PartName {
  readonly pool: string;
  readonly host: string;
}

/** Keys are the caller's. What is not there is a broken invariant. Call `settleAll` after changes. */
export class ResourceDivision {
  readonly #tolerance: Tolerance;
  readonly #tree: ReservationTree;
  readonly #root: Pool;
  readonly #pools = new Map<string, Pool>();
  readonly #hosts = new Map<string, Host>();
  readonly #vms = new Map<string, Vm>();
  /** To be divided anew. */
  readonly #dirty = new Set<Pool>();
  /** Could not give away all they have: their hosts are full. */
  readonly #wanting = new Set<Pool>();
  readonly #shrunk = new Set<Host>();
  readonly #touched = new Set<Part>();
  #hasGrown = false;

  constructor(rootKey: string, tolerance: Tolerance) {
    this.#tolerance = tolerance;
    this.#tree = new ReservationTree(rootKey, 0);
    const settings = { reservation: 0, isExpandable: false, limit: Infinity, shares: 0 };
    this.#root = { key: rootKey, parent: undefined, depth: 0, settings, parts: new Map(), dividedFree: 0 };
    this.#pools.set(rootKey, this.#root);
  }

  setHost(key: string, capacity: number): void {
    const host = this.#hosts.get(key) ?? { key, capacity: 0, vmCount: 0, vmReservation: 0, free: 0 };
    this.#hosts.set(key, host);
    if (capacity < host.capacity) this.#shrunk.add(host);
    else this.#hasGrown = true;
    host.capacity = Math.floor(capacity);
  }

  /** No VM may run there any more. */
  removeHost(key: string): void {
    const host = get(this.#hosts, key);
    invariant(host.vmCount === 0, `host ${key} has VMs`);
    this.#hosts.delete(key);
    this.#shrunk.delete(host);
  }

  /** A new pool, or new settings of one that stays where it is. */
  setPool(key: string, parentKey: string, settings: Allocation): void {
    const parent = get(this.#pools, parentKey);
    const old = this.#pools.get(key);
    if (old) {
      invariant(old.parent === parent, `pool ${key} has moved`);
      if (isSame(old.settings, settings)) return;
      old.settings = settings;
      this.#tree.change(key, settings);
      this.#dirty.add(old);
    } else {
      this.#tree.add(key, parentKey, settings);
      this.#pools.set(key, { key, parent, depth: parent.depth + 1, settings, parts: new Map(), dividedFree: 0 });
    }
    this.#checkFree(parent);
  }

  /** No pool and no running VM may be in it. */
  removePool(key: string): void {
    const pool = get(this.#pools, key);
    invariant(pool.parts.size === 0, `pool ${key} is in use`);
    this.#tree.remove(key);
    this.#pools.delete(key);
    this.#dirty.delete(pool);
    this.#wanting.delete(pool);
    if (pool.parent) this.#checkFree(pool.parent);
  }

  /** A VM runs, runs elsewhere, or wants something else than before. */
  setVm(key: string, poolKey: string, hostKey: string, load: VmLoad): void {
    const old = this.#vms.get(key);
    const vm = { pool: get(this.#pools, poolKey), host: get(this.#hosts, hostKey), load };
    if (old?.pool === vm.pool && old.host === vm.host && isOtherDemandOnly(old.load, load)) {
      this.#vms.set(key, vm);
      this.#addDemand(vm.pool, vm.host, wanted(load) - wanted(old.load));
      return;
    }
    this.#vms.set(key, vm);
    // In this order a part that stays is never empty in between.
    this.#count(vm, 1);
    if (old) this.#count(old, -1);
  }

  removeVm(key: string): void {
    this.#count(get(this.#vms, key), -1);
    this.#vms.delete(key);
  }

  /** VMs of the pool and of all below. O(all VMs): for pools that move. */
  vmsWithin(key: string): string[] {
    return [...this.#vms].filter(([, vm]) => this.#tree.isWithin(vm.pool.key, key)).map(([vm]) => vm);
  }

  /** Divides anew what has to be. The names of the parts that may have changed; `localAllocation` says what they are now. */
  settleAll(): PartName[] {
    for (const host of this.#shrunk) this.#squeeze(host);
    this.#shrunk.clear();
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (this.#hasGrown) for (const pool of this.#wanting) this.#dirty.add(pool);
      this.#hasGrown = false;
      this.#divideDirty();
      // What one pool let go in this round may be what another is wanting.
      if (!this.#hasGrown || this.#wanting.size === 0) break;
    }
    const touched = [...this.#touched].map(({ pool, host }) => ({ pool: pool.key, host: host.key }));
    this.#touched.clear();
    return touched;
  }

  /** undefined: no VM of the pool runs there. */
  localAllocation({ pool, host }: PartName): LocalAllocation | undefined {
    const part = this.#pools.get(pool)?.parts.get(host);
    if (!part) return undefined;
    const reservation = reservationOf(part);
    return {
      reservation,
      // The overhead of VMs that run may take a pool beyond its limit: a host would refuse a limit below what is reserved.
      limit: Math.max(reservation, part.limit ?? Infinity),
      shares: Math.max(1, part.shares ?? 0),
    };
  }

  #count(vm: Vm, sign: 1 | -1): void {
    const { pool, host, load } = vm;
    host.vmCount += sign;
    host.vmReservation += sign * load.reservation;
    if (sign > 0) this.#shrunk.add(host);
    else this.#hasGrown = true;
    const demand = sign * wanted(load);
    if (sign > 0) this.#countUp(vm, sign);
    this.#addDemand(pool, host, demand);
    if (sign < 0) this.#countUp(vm, sign);
    this.#tree.reserve(pool.key, sign * load.reservation);
    this.#checkFree(pool);
  }

  #countUp({ pool, host, load }: Vm, sign: 1 | -1): void {
    for (let at: Pool | undefined = pool; at?.parent; at = at.parent) {
      const part = at.parts.get(host.key) ?? newPart(at, host);
      at.parts.set(host.key, part);
      part.vmCount += sign;
      part.vmReservation += sign * load.reservation;
      part.vmShares += sign * load.shares;
      this.#touched.add(part);
      this.#dirty.add(at);
      if (part.vmCount === 0) {
        this.#setFree(part, 0);
        at.parts.delete(host.key);
      }
    }
  }

  /** Carries a change of demand upwards as far as limits let it through. */
  #addDemand(start: Pool, host: Host, amount: number): void {
    let change = amount;
    for (let at: Pool | undefined = start; at?.parent && change !== 0; at = at.parent) {
      const part = at.parts.get(host.key);
      invariant(part, `pool ${at.key} has no part on ${host.key}`);
      part.demand += change;
      if (isDemandDriven(at) && this.#isFar(part.demand, part.dividedDemand)) this.#dirty.add(at);
      const before = part.passed;
      part.passed = Math.min(part.demand, part.limit ?? Infinity);
      change = part.passed - before;
    }
  }

  #isFar(value: number, from: number): boolean {
    return Math.abs(value - from) > Math.max(this.#tolerance.absolute, this.#tolerance.relative * from);
  }

  /** Pools whose `free` is another now, from here up, are to be divided. */
  #checkFree(start: Pool): void {
    for (let at: Pool | undefined = start; at?.parent; at = at.parent) {
      if (this.#freeOf(at) !== at.dividedFree) this.#dirty.add(at);
    }
  }

  #freeOf({ key }: Pool): number {
    return Math.max(0, this.#tree.reservation(key) - this.#tree.used(key));
  }

  #setFree(part: Part, free: number): void {
    const change = free - (part.free ?? 0);
    part.free = free;
    if (change === 0) return;
    part.host.free += change;
    if (change < 0) this.#hasGrown = true;
    for (let at: Pool | undefined = part.pool; at?.parent; at = at.parent) {
      const above = at.parts.get(part.host.key);
      invariant(above, `pool ${at.key} has no part on ${part.host.key}`);
      above.freeSum += change;
      this.#touched.add(above);
      if (at !== part.pool && isDemandDriven(at)) this.#dirty.add(at);
    }
  }

  /** What a host has promised beyond its VMs' reservations must fit into it. */
  #squeeze(host: Host): void {
    const room = Math.max(0, host.capacity - host.vmReservation);
    if (host.free <= room) return;
    const parts = [...this.#pools.values()]
      .flatMap(({ parts: all }) => all.get(host.key) ?? [])
      .filter(({ free }) => (free ?? 0) > 0)
      .sort((a, b) => (a.pool.key < b.pool.key ? -1 : 1));
    const kept = divide(
      room,
      parts.map(({ free = 0 }) => ({ min: free, want: free, max: free, weight: 1 })),
    );
    for (const [index, part] of parts.entries()) {
      this.#setFree(part, kept[index] ?? 0);
      this.#dirty.add(part.pool);
    }
  }

  /** Deepest first: a division changes what the pools above have to divide, never what those below have. */
  #divideDirty(): void {
    while (this.#dirty.size > 0) {
      const depth = Math.max(...[...this.#dirty].map((pool) => pool.depth));
      const level = [...this.#dirty].filter((pool) => pool.depth === depth).sort((a, b) => (a.key < b.key ? -1 : 1));
      for (const pool of level) {
        this.#dirty.delete(pool);
        if (pool !== this.#root) this.#divide(pool);
      }
    }
  }

  #divide(pool: Pool): void {
    const parts = [...pool.parts.values()].sort((a, b) => (a.host.key < b.host.key ? -1 : 1));
    this.#divideFree(pool, parts);
    this.#divideLimit(pool, parts);
    this.#assign(
      parts,
      pool.settings.shares,
      (part) => ({ min: 1, want: 1, max: Infinity, weight: Math.max(1, part.vmShares) }),
      ({ shares }) => shares,
      (part, shares) => {
        part.shares = shares;
        this.#touched.add(part);
      },
      0,
    );
    for (const part of parts) part.dividedDemand = part.demand;
  }

  #divideFree(pool: Pool, parts: readonly Part[]): void {
    const free = this.#freeOf(pool);
    pool.dividedFree = free;
    const given = this.#assign(
      parts,
      free,
      (part, fairPart) => {
        const own = part.free ?? 0;
        const covered = part.vmReservation + part.freeSum - own;
        return {
          min: Math.floor(FLOOR * free * fairPart),
          want: Math.max(0, part.demand - covered),
          max: Math.max(0, own + part.host.capacity - part.host.vmReservation - part.host.free),
          weight: Math.max(1, part.vmShares),
        };
      },
      (part) => part.free,
      (part, value) => this.#setFree(part, value),
      this.#tolerance.absolute,
    );
    if (given < free) this.#wanting.add(pool);
    else this.#wanting.delete(pool);
  }

  #divideLimit(pool: Pool, parts: readonly Part[]): void {
    const { limit } = pool.settings;
    if (limit === Infinity) {
      for (const part of parts) this.#setLimit(part, undefined);
      return;
    }
    const loose = Math.max(0, limit - parts.reduce((sum, part) => sum + reservationOf(part), 0));
    this.#assign(
      parts,
      limit,
      (part, fairPart) => {
        const reserved = reservationOf(part);
        return {
          min: reserved + Math.floor(FLOOR * loose * fairPart),
          want: Math.max(reserved, part.demand),
          max: Infinity,
          weight: Math.max(1, part.vmShares),
        };
      },
      (part) => part.limit,
      (part, value) => this.#setLimit(part, value),
      this.#tolerance.absolute,
    );
  }

  #setLimit(part: Part, limit: number | undefined): void {
    if (part.limit === limit) return;
    part.limit = limit;
    this.#touched.add(part);
    const passed = Math.min(part.demand, limit ?? Infinity);
    const change = passed - part.passed;
    part.passed = passed;
    if (part.pool.parent) this.#addDemand(part.pool.parent, part.host, change);
  }

  /** Divides `amount`, keeps the old parts where they are near enough, and says how much was given. */
  #assign(
    parts: readonly Part[],
    amount: number,
    takerOf: (part: Part, fairPart: number) => Taker,
    oldOf: (part: Part) => number | undefined,
    set: (part: Part, value: number) => void,
    absolute: number,
  ): number {
    const shares = parts.reduce((sum, { vmShares }) => sum + Math.max(1, vmShares), 0);
    const takers = parts.map((part) => takerOf(part, Math.max(1, part.vmShares) / shares));
    const targets = divide(amount, takers);
    const settled = settle(
      takers.map(({ min, max }, index) => ({
        old: parts[index] && oldOf(parts[index]),
        target: targets[index] ?? 0,
        min,
        max,
      })),
      { relative: this.#tolerance.relative, absolute },
    );
    let given = 0;
    for (const [index, part] of parts.entries()) {
      const value = settled[index] ?? 0;
      if (value !== oldOf(part)) set(part, value);
      given += value;
    }
    return given;
  }
}

/** Demand says where free reservation and limit go; shares do not ask for it. */
function isDemandDriven({ settings, dividedFree }: Pool): boolean {
  return dividedFree > 0 || settings.limit !== Infinity;
}

function isSame(a: Allocation, b: Allocation): boolean {
  return (
    a.reservation === b.reservation && a.isExpandable === b.isExpandable && a.limit === b.limit && a.shares === b.shares
  );
}

function get<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  invariant(value !== undefined, `${key} is not there`);
  return value;
}
