// The pools of a cluster divided into a tree of pools for each host, so that the hosts' own schedulers together enforce what the
// cluster promises. Kept up to date: a change costs what it changes, and small changes of demand move nothing.
//
// The local pools are expandable: whether a VM may power on is decided by the cluster's tree, not by the part of it that a host has.

import { invariant } from '@vivarium/base';
import type { Allocation, Resources } from '../resource-pool/allocation.ts';
import type { LocalAllocation, VmLoad } from './division-state.ts';
import { type PartName, ResourceDivision } from './resource-division.ts';

/** A running VM. CPU in MHz, memory in MB. */
export interface DividedVm {
  readonly vm: string;
  readonly pool: string;
  readonly host: string;
  readonly cpu: VmLoad;
  readonly memory: VmLoad;
}

export interface DividedPool {
  readonly pool: string;
  readonly parent: string;
  readonly cpu: Allocation;
  readonly memory: Allocation;
}

export interface DividedHost {
  readonly host: string;
  /** What it has for VMs. */
  readonly capacity: Resources;
}

/** What is new or different (`set`), and what is gone, by key. Parents come before their pools, and hosts and pools before VMs by themselves. */
export interface DivisionChanges {
  readonly hosts?: { readonly set?: readonly DividedHost[]; readonly removed?: readonly string[] };
  readonly pools?: { readonly set?: readonly DividedPool[]; readonly removed?: readonly string[] };
  readonly vms?: { readonly set?: readonly DividedVm[]; readonly removed?: readonly string[] };
}

/** A pool as it has to be on one host. */
export interface LocalPool {
  readonly pool: string;
  /** The root pool's key for those right below the host's root. */
  readonly parent: string;
  readonly cpu: LocalAllocation;
  readonly memory: LocalAllocation;
}

export interface HostChange {
  readonly host: string;
  /** Parents first. */
  readonly set: readonly LocalPool[];
  /** Pools without running VMs there now; children first. A host may keep such a pool for VMs that are off. */
  readonly removed: readonly string[];
}

export interface DivisionTolerance {
  /** A part within this of what it should be stays as it is. */
  readonly relative: number;
  /** So does one within this many MHz or MB. */
  readonly absolute: Resources;
}

const DEFAULT_TOLERANCE: DivisionTolerance = { relative: 0.1, absolute: { cpuMhz: 100, memoryMB: 128 } };

export class PoolDivision {
  readonly #cpu: ResourceDivision;
  readonly #memory: ResourceDivision;
  readonly #pools = new Map<string, DividedPool>();
  readonly #vms = new Map<string, DividedVm>();
  /** What the caller was told, by host and pool. */
  readonly #told = new Map<string, Map<string, LocalPool>>();

  constructor(rootPool: string, tolerance: DivisionTolerance = DEFAULT_TOLERANCE) {
    const { relative, absolute } = tolerance;
    this.#cpu = new ResourceDivision(rootPool, { relative, absolute: absolute.cpuMhz });
    this.#memory = new ResourceDivision(rootPool, { relative, absolute: absolute.memoryMB });
  }

  /**
   * Takes in the changes and answers what each host has to be told, and nothing for hosts whose pools stay as they are.
   * Throws an InvariantError for keys that are not there, pools in use that are removed, hosts with VMs that are removed.
   */
  apply(changes: DivisionChanges): HostChange[] {
    for (const { host, capacity } of changes.hosts?.set ?? []) {
      this.#cpu.setHost(host, capacity.cpuMhz);
      this.#memory.setHost(host, capacity.memoryMB);
    }
    for (const vm of changes.vms?.removed ?? []) this.#removeVm(vm);
    for (const pool of changes.pools?.set ?? []) this.#setPool(pool);
    for (const vm of changes.vms?.set ?? []) this.#setVm(vm);
    for (const pool of childrenFirst(changes.pools?.removed ?? [], this.#pools)) this.#removePool(pool);
    for (const host of changes.hosts?.removed ?? []) {
      this.#cpu.removeHost(host);
      this.#memory.removeHost(host);
    }
    return this.#tell([...this.#cpu.settleAll(), ...this.#memory.settleAll()]);
  }

  /** All pools of a host as they have to be, parents first: for a host that comes back. */
  treeOf(host: string): LocalPool[] {
    const told = this.#told.get(host) ?? new Map<string, LocalPool>();
    return parentsFirst([...told.values()], told);
  }

  #setVm(vm: DividedVm): void {
    this.#vms.set(vm.vm, vm);
    this.#cpu.setVm(vm.vm, vm.pool, vm.host, vm.cpu);
    this.#memory.setVm(vm.vm, vm.pool, vm.host, vm.memory);
  }

  #removeVm(vm: string): void {
    this.#vms.delete(vm);
    this.#cpu.removeVm(vm);
    this.#memory.removeVm(vm);
  }

  #setPool(pool: DividedPool): void {
    const old = this.#pools.get(pool.pool);
    if (old && old.parent !== pool.parent) return this.#movePool(pool);
    this.#pools.set(pool.pool, pool);
    this.#cpu.setPool(pool.pool, pool.parent, pool.cpu);
    this.#memory.setPool(pool.pool, pool.parent, pool.memory);
  }

  #removePool(pool: string): void {
    this.#pools.delete(pool);
    this.#cpu.removePool(pool);
    this.#memory.removePool(pool);
  }

  /** Takes the pool away with all that is in it, and puts it where it belongs now. Costs all VMs of the cluster; pools seldom move. */
  #movePool(pool: DividedPool): void {
    const vms = this.#cpu.vmsWithin(pool.pool).map((vm) => this.#vms.get(vm));
    const within = (key: string): boolean => {
      if (key === pool.pool) return true;
      const parent = this.#pools.get(key)?.parent;
      return parent !== undefined && within(parent);
    };
    const pools = parentsFirst(
      [...this.#pools.values()].filter(({ pool: key }) => within(key)),
      this.#pools,
    );
    for (const vm of vms) if (vm) this.#removeVm(vm.vm);
    for (const { pool: key } of pools.toReversed()) this.#removePool(key);
    for (const item of pools) this.#setPool(item.pool === pool.pool ? pool : item);
    for (const vm of vms) if (vm) this.#setVm(vm);
  }

  #tell(names: readonly PartName[]): HostChange[] {
    const changes: HostChange[] = [];
    for (const [host, parts] of Map.groupBy(names, (name) => name.host)) {
      const told = this.#told.get(host) ?? new Map<string, LocalPool>();
      const old = new Map(told);
      const set: LocalPool[] = [];
      const removed: string[] = [];
      for (const pool of new Set(parts.map((part) => part.pool))) {
        const local = this.#localPool({ pool, host });
        const before = told.get(pool);
        if (!local) {
          if (told.delete(pool)) removed.push(pool);
        } else if (!before || !isSame(before, local)) {
          told.set(pool, local);
          set.push(local);
        }
      }
      if (told.size > 0) this.#told.set(host, told);
      else this.#told.delete(host);
      if (set.length + removed.length > 0) {
        changes.push({ host, set: parentsFirst(set, told), removed: childrenFirst(removed, old) });
      }
    }
    return changes.sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  #localPool(name: PartName): LocalPool | undefined {
    const cpu = this.#cpu.localAllocation(name);
    const memory = this.#memory.localAllocation(name);
    const parent = this.#pools.get(name.pool)?.parent;
    if (!cpu || !memory) return undefined;
    invariant(parent !== undefined, `pool ${name.pool} has no parent`);
    return { pool: name.pool, parent, cpu, memory };
  }
}

type Tree = ReadonlyMap<string, { readonly parent: string }>;

function parentsFirst<T extends { readonly pool: string }>(pools: readonly T[], tree: Tree): T[] {
  return pools
    .map((item) => ({ item, depth: depthIn(tree, item.pool) }))
    .sort((a, b) => a.depth - b.depth || (a.item.pool < b.item.pool ? -1 : 1))
    .map(({ item }) => item);
}

function childrenFirst(pools: readonly string[], tree: Tree): string[] {
  return parentsFirst(
    pools.map((pool) => ({ pool })),
    tree,
  )
    .map(({ pool }) => pool)
    .reverse();
}

function depthIn(tree: Tree, pool: string): number {
  let depth = 0;
  for (let at = tree.get(pool); at; at = tree.get(at.parent)) depth += 1;
  return depth;
}

function isSame(a: LocalPool, b: LocalPool): boolean {
  return a.parent === b.parent && isSameAllocation(a.cpu, b.cpu) && isSameAllocation(a.memory, b.memory);
}

function isSameAllocation(a: LocalAllocation, b: LocalAllocation): boolean {
  return a.reservation === b.reservation && a.limit === b.limit && a.shares === b.shares;
}
