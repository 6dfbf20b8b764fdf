// What a division knows of pools, hosts and VMs: sums that every change keeps right on its way up the tree.

import type { Allocation } from '../resource-pool/allocation.ts';

/** What one VM means for one resource, in that resource's unit. */
export interface VmLoad {
  /** Memory: with its overhead. */
  readonly reservation: number;
  /** Infinity where there is none. */
  readonly limit: number;
  readonly shares: number;
  /** What it would use if nobody else were there. Memory: what it holds. */
  readonly demand: number;
}

export interface LocalAllocation {
  readonly reservation: number;
  /** Infinity where the pool has none. */
  readonly limit: number;
  readonly shares: number;
}

/** A pool on a host. */
export interface Part {
  readonly pool: Pool;
  readonly host: Host;
  vmCount: number;
  vmReservation: number;
  vmShares: number;
  /** Of the VMs of the pool, and of the pools below within their limits here. */
  demand: number;
  /** What of it gets through the pool's own limit here. */
  passed: number;
  /** The demand when the pool was last divided. */
  dividedDemand: number;
  /** This pool's own part of its `free`; undefined before the first division, as `limit` and `shares`. */
  free: number | undefined;
  /** `free` of this pool and of all below. */
  freeSum: number;
  limit: number | undefined;
  shares: number | undefined;
}

export interface Pool {
  readonly key: string;
  parent: Pool | undefined;
  depth: number;
  settings: Allocation;
  readonly parts: Map<string, Part>;
  /** What was there to divide at the last division. */
  dividedFree: number;
}

export interface Host {
  readonly key: string;
  capacity: number;
  vmCount: number;
  vmReservation: number;
  /** `free` of all pools. */
  free: number;
}

export interface Vm {
  readonly pool: Pool;
  readonly host: Host;
  readonly load: VmLoad;
}

export function newPart(pool: Pool, host: Host): Part {
  return {
    pool,
    host,
    vmCount: 0,
    vmReservation: 0,
    vmShares: 0,
    demand: 0,
    passed: 0,
    dividedDemand: 0,
    free: undefined,
    freeSum: 0,
    limit: undefined,
    shares: undefined,
  };
}

export function reservationOf({ vmReservation, freeSum }: Part): number {
  return vmReservation + freeSum;
}

/** Whole units, so that sums that are kept for days do not drift. */
export function wanted({ demand, limit }: VmLoad): number {
  return Math.round(Math.min(demand, limit));
}

export function isOtherDemandOnly(a: VmLoad, b: VmLoad): boolean {
  return a.reservation === b.reservation && a.shares === b.shares && a.limit === b.limit;
}
