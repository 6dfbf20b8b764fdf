// What of a machine its VMs can have: the root resource pool. Pure.
import type { MachineFacts } from '../host-system/machine-facts.ts';
import type { Resource } from './share-tree.ts';

/** For the kernel, hostd and the switch; less on a small machine. */
const SYSTEM_MB = 512;
const SMALLEST_PART = 1 / 8;

/** MHz and MB. */
export function hostCapacity(
  facts: Pick<MachineFacts, 'cpuMhz' | 'cores' | 'memoryBytes'>,
): Readonly<Record<Resource, number>> {
  const memoryMB = Math.floor(facts.memoryBytes / 2 ** 20);
  return {
    cpu: facts.cpuMhz * facts.cores,
    memory: memoryMB - Math.min(SYSTEM_MB, Math.floor(memoryMB * SMALLEST_PART)),
  };
}
