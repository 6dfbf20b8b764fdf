// The reservation arithmetic of one resource over a tree of pools, kept up to date in O(depth) per change. It knows
// no units, faults or objects, and admits nothing by itself: who changes it has asked `unreserved` before.
//
//   used(pool)  = what running VMs of the pool reserve + what its child pools take
//   taken(pool) = what the pool takes from its parent = reservation, or used where that is more and it may expand
//   unreserved  = reservation - used, plus the parent's unreserved where it may expand, never beyond the limit
//
// (ResourcePoolResourceUsage: reservation + parent.unreserved = reservationUsed + unreserved.)

import { invariant } from '@vivarium/base';
import type { Allocation } from './allocation.ts';

interface Node {
  readonly key: string;
  parent: Node | undefined;
  children: number;
  reservation: number;
  isExpandable: boolean;
  limit: number;
  used: number;
  usedForVm: number;
}

/** What a pool's reservation is made of. Shares say nothing here. */
export type ReservationSettings = Pick<Allocation, 'reservation' | 'isExpandable' | 'limit'>;

/** Throws an InvariantError for a pool that is not there: keys come from the inventory, not from clients. */
export class ReservationTree {
  readonly #nodes = new Map<string, Node>();
  readonly #root: Node;

  /** `capacity`: all that the hosts behind the root pool have for VMs. */
  constructor(rootKey: string, capacity: number) {
    this.#root = newNode(rootKey, undefined, { reservation: capacity, isExpandable: false, limit: Infinity });
    this.#nodes.set(rootKey, this.#root);
  }

  has(key: string): boolean {
    return this.#nodes.has(key);
  }

  parentOf(key: string): string | undefined {
    return this.#get(key).parent?.key;
  }

  /** A host came or went. May leave the tree overcommitted: then nothing is unreserved until use falls. */
  setCapacity(capacity: number): void {
    this.#root.reservation = capacity;
  }

  add(key: string, parentKey: string, settings: ReservationSettings): void {
    invariant(!this.#nodes.has(key), `pool ${key} is already in the tree`);
    const parent = this.#get(parentKey);
    const node = newNode(key, parent, settings);
    this.#nodes.set(key, node);
    parent.children += 1;
    addUsed(parent, taken(node));
  }

  change(key: string, settings: ReservationSettings): void {
    const node = this.#get(key);
    invariant(node.parent, 'the root pool changes by its capacity');
    const before = taken(node);
    node.reservation = settings.reservation;
    node.isExpandable = settings.isExpandable;
    node.limit = settings.limit;
    addUsed(node.parent, taken(node) - before);
  }

  move(key: string, parentKey: string): void {
    const node = this.#get(key);
    const parent = this.#get(parentKey);
    invariant(node.parent && !this.isWithin(parentKey, key), `pool ${key} cannot move below ${parentKey}`);
    addUsed(node.parent, -taken(node));
    addUsedForVm(node.parent, -node.usedForVm);
    node.parent.children -= 1;
    node.parent = parent;
    parent.children += 1;
    addUsed(parent, taken(node));
    addUsedForVm(parent, node.usedForVm);
  }

  /** A pool without children and without running VMs. */
  remove(key: string): void {
    const node = this.#get(key);
    invariant(node.parent && node.children === 0 && node.used === 0, `pool ${key} is in use`);
    addUsed(node.parent, -taken(node));
    node.parent.children -= 1;
    this.#nodes.delete(key);
  }

  /** A VM of the pool powers on (`amount`), changes its reservation (the difference) or powers off (negative). */
  reserve(key: string, amount: number): void {
    const node = this.#get(key);
    addUsed(node, amount);
    addUsedForVm(node, amount);
  }

  /** Whether `key` is `ancestorKey` or below it. */
  isWithin(key: string, ancestorKey: string): boolean {
    for (let node: Node | undefined = this.#get(key); node; node = node.parent) {
      if (node.key === ancestorKey) return true;
    }
    return false;
  }

  /** What is free to satisfy the reservation of a child pool (`unreservedForPool`). */
  unreserved(key: string): number {
    return unreserved(this.#get(key));
  }

  /** The same for a VM: when the tree is overcommitted, no more than the root really has left (`unreservedForVm`). */
  unreservedForVm(key: string): number {
    return Math.min(unreserved(this.#get(key)), Math.max(0, this.#root.reservation - this.#root.usedForVm));
  }

  /** What would be unreserved at `parentKey` if the pool `key` took nothing: the question before a move. */
  unreservedWithout(key: string, parentKey: string): number {
    const node = this.#get(key);
    invariant(node.parent, 'the root pool does not move');
    const amount = taken(node);
    addUsed(node.parent, -amount);
    const result = this.unreserved(parentKey);
    addUsed(node.parent, amount);
    return result;
  }

  /** `reservationUsed`: by VMs and pools below. */
  used(key: string): number {
    return this.#get(key).used;
  }

  /** `reservationUsedForVm`: by VMs of the pool and of all pools below. */
  usedForVm(key: string): number {
    return this.#get(key).usedForVm;
  }

  /** What the pool takes from its parent: its reservation, with what it has borrowed. */
  taken(key: string): number {
    return taken(this.#get(key));
  }

  reservation(key: string): number {
    return this.#get(key).reservation;
  }

  /** `maxUsage`: the lowest limit on the way up to the capacity. */
  maxUsage(key: string): number {
    let max = this.#root.reservation;
    for (let node: Node | undefined = this.#get(key); node; node = node.parent) max = Math.min(max, node.limit);
    return max;
  }

  #get(key: string): Node {
    const node = this.#nodes.get(key);
    invariant(node, `pool ${key} is not in the tree`);
    return node;
  }
}

function newNode(key: string, parent: Node | undefined, settings: ReservationSettings): Node {
  const { reservation, isExpandable, limit } = settings;
  return { key, parent, children: 0, reservation, isExpandable, limit, used: 0, usedForVm: 0 };
}

function taken(node: Node): number {
  return node.isExpandable ? Math.max(node.reservation, node.used) : node.reservation;
}

function addUsed(start: Node, amount: number): void {
  let change = amount;
  for (let node: Node | undefined = start; node && change !== 0; node = node.parent) {
    const before = taken(node);
    node.used += change;
    change = taken(node) - before;
  }
}

function addUsedForVm(start: Node, amount: number): void {
  for (let node: Node | undefined = start; node; node = node.parent) node.usedForVm += amount;
}

function unreserved(node: Node): number {
  const own = Math.max(0, node.reservation - node.used);
  if (!node.parent) return own;
  const free = node.isExpandable ? own + unreserved(node.parent) : own;
  return Math.min(free, Math.max(0, node.limit - node.used));
}
