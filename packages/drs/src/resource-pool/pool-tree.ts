// The pools of one root with both resources: what a host or a cluster keeps up to date as pools change and VMs start and end.

import type { Allocation, Resources } from './allocation.ts';
import { type ReservationSettings, ReservationTree } from './reservation-tree.ts';

/** The settings of a pool. CPU in MHz, memory in MB. */
export interface PoolSettings {
  readonly cpu: ReservationSettings;
  readonly memory: ReservationSettings;
}

export interface PoolAllocations extends PoolSettings {
  readonly cpu: Allocation;
  readonly memory: Allocation;
}

/** One resource of a pool, in that resource's unit (MHz, MB). Names and meaning are those of ResourcePoolResourceUsage. */
export interface PoolUsage {
  readonly reservationUsed: number;
  readonly reservationUsedForVm: number;
  readonly unreservedForPool: number;
  readonly unreservedForVm: number;
  readonly maxUsage: number;
}

/**
 * Changes are not admitted here: ask admission.ts first. Pools are named by the caller's keys (a moref's value).
 * A key that is not in the tree is a broken invariant.
 */
export class PoolTree {
  readonly cpu: ReservationTree;
  readonly memory: ReservationTree;

  constructor(rootKey: string, capacity: Resources) {
    this.cpu = new ReservationTree(rootKey, capacity.cpuMhz);
    this.memory = new ReservationTree(rootKey, capacity.memoryMB);
  }

  has(key: string): boolean {
    return this.cpu.has(key);
  }

  parentOf(key: string): string | undefined {
    return this.cpu.parentOf(key);
  }

  isWithin(key: string, ancestorKey: string): boolean {
    return this.cpu.isWithin(key, ancestorKey);
  }

  setCapacity(capacity: Resources): void {
    this.cpu.setCapacity(capacity.cpuMhz);
    this.memory.setCapacity(capacity.memoryMB);
  }

  addPool(key: string, parentKey: string, settings: PoolSettings): void {
    this.cpu.add(key, parentKey, settings.cpu);
    this.memory.add(key, parentKey, settings.memory);
  }

  changePool(key: string, settings: PoolSettings): void {
    this.cpu.change(key, settings.cpu);
    this.memory.change(key, settings.memory);
  }

  movePool(key: string, parentKey: string): void {
    this.cpu.move(key, parentKey);
    this.memory.move(key, parentKey);
  }

  /** The pool must have neither children nor running VMs. */
  removePool(key: string): void {
    this.cpu.remove(key);
    this.memory.remove(key);
  }

  /** A VM of the pool powers on with this reservation (memory with its overhead), or gets that much more. */
  reserve(key: string, amount: Resources): void {
    this.cpu.reserve(key, amount.cpuMhz);
    this.memory.reserve(key, amount.memoryMB);
  }

  /** The opposite of `reserve`. */
  release(key: string, amount: Resources): void {
    this.cpu.reserve(key, -amount.cpuMhz);
    this.memory.reserve(key, -amount.memoryMB);
  }

  usage(key: string): { readonly cpu: PoolUsage; readonly memory: PoolUsage } {
    return { cpu: usageOf(this.cpu, key), memory: usageOf(this.memory, key) };
  }
}

function usageOf(tree: ReservationTree, key: string): PoolUsage {
  return {
    reservationUsed: tree.used(key),
    reservationUsedForVm: tree.usedForVm(key),
    unreservedForPool: tree.unreserved(key),
    unreservedForVm: tree.unreservedForVm(key),
    maxUsage: tree.maxUsage(key),
  };
}
