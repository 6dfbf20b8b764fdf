// What a pool shows of itself: ResourcePoolRuntimeInfo out of the arithmetic and of what is used now. Pure.

import { make, type ResourcePoolResourceUsage, type ResourcePoolRuntimeInfo } from '@vivarium/vim';
import type { PoolTree, PoolUsage } from './pool-tree.ts';

/** `overall`: what the running VMs of the pool and of all pools below use now, CPU in MHz, memory in bytes. */
export function poolRuntimeInfo(
  tree: PoolTree,
  pool: string,
  overall: { readonly cpuMhz: number; readonly memoryBytes: number },
): ResourcePoolRuntimeInfo {
  const { cpu, memory } = tree.usage(pool);
  return make('ResourcePoolRuntimeInfo', {
    memory: resourceUsage(memory, overall.memoryBytes, 2 ** 20),
    cpu: resourceUsage(cpu, overall.cpuMhz, 1),
    // A pool whose guarantees cannot all be kept (a host is gone) is red: vSphere Resource Management, "red clusters".
    overallStatus: isOvercommitted(cpu) || isOvercommitted(memory) ? 'red' : 'green',
  });
}

function resourceUsage(usage: PoolUsage, overallUsage: number, scale: number): ResourcePoolResourceUsage {
  return make('ResourcePoolResourceUsage', {
    reservationUsed: usage.reservationUsed * scale,
    reservationUsedForVm: usage.reservationUsedForVm * scale,
    unreservedForPool: usage.unreservedForPool * scale,
    unreservedForVm: usage.unreservedForVm * scale,
    overallUsage,
    maxUsage: usage.maxUsage * scale,
  });
}

function isOvercommitted(usage: PoolUsage): boolean {
  return usage.unreservedForVm < usage.unreservedForPool || usage.reservationUsed > usage.maxUsage;
}
