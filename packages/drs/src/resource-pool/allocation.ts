// Reservation, limit and shares of a pool or VM with every default filled in. Pure.

import type { ResourceAllocationInfo, SharesInfo } from '@vivarium/vim';

/** Both resources that pools divide. CPU in MHz, memory in MB, as in the schema's allocations. */
export interface Resources {
  readonly cpuMhz: number;
  readonly memoryMB: number;
}

/** One resource of a pool or VM, in the unit of that resource. */
export interface Allocation {
  readonly reservation: number;
  /** Whether a pool may borrow unreserved resource from its parent. Nothing to a VM. */
  readonly isExpandable: boolean;
  /** Infinity when there is none (-1 in the schema). */
  readonly limit: number;
  readonly shares: number;
}

/** What the named levels are worth. A VM's are per vCPU and per MB; a pool counts as a VM of 4 vCPUs and 16 GB (vSphere Resource Management). */
export type ShareUnit =
  | { readonly of: 'poolCpu' }
  | { readonly of: 'poolMemory' }
  | { readonly of: 'vmCpu'; readonly numCpu: number }
  | { readonly of: 'vmMemory'; readonly memoryMB: number };

const LEVELS = {
  poolCpu: { low: 2000, normal: 4000, high: 8000 },
  poolMemory: { low: 81_920, normal: 163_840, high: 327_680 },
  vmCpu: { low: 500, normal: 1000, high: 2000 },
  vmMemory: { low: 5, normal: 10, high: 20 },
} as const;

/** The number that a SharesInfo stands for. `shares` counts only at level `custom`; nothing given is `normal`. */
export function sharesOf(info: SharesInfo | undefined, unit: ShareUnit): number {
  const level = info?.level ?? 'normal';
  if (level === 'custom') return info?.shares ?? 0;
  const size = unit.of === 'vmCpu' ? unit.numCpu : unit.of === 'vmMemory' ? unit.memoryMB : 1;
  return LEVELS[unit.of][level] * size;
}

/** Unset: no reservation, expandable, no limit, normal shares. */
export function allocationOf(info: ResourceAllocationInfo | undefined, unit: ShareUnit): Allocation {
  const limit = info?.limit ?? -1;
  return {
    reservation: info?.reservation ?? 0,
    isExpandable: info?.expandableReservation ?? true,
    limit: limit < 0 ? Infinity : limit,
    shares: sharesOf(info?.shares, unit),
  };
}
