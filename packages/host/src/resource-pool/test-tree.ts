// Trees of pools for tests.
import type { Allocation } from '@vivarium/drs/resource-pool';
import { type PoolNode, ROOT_POOL, type ShareTree, type VmNode } from './share-tree.ts';

const nothing: Allocation = { reservation: 0, isExpandable: true, limit: Infinity, shares: 1000 };

export function shareTree(capacityMhz: number, pools: readonly PoolNode[], vms: readonly VmNode[]): ShareTree {
  const root = { id: ROOT_POOL, parent: undefined, cpu: nothing, memory: nothing };
  return { capacityMhz, cpuMhz: 2000, pools: [root, ...pools], vms };
}

/** A pool as clients make it: nothing reserved, expandable, no limit, normal shares; but for what is given. */
export function poolNode(
  id: string,
  parent: string,
  cpu: Partial<Allocation> = {},
  memory: Partial<Allocation> = {},
): PoolNode {
  return {
    id,
    parent,
    cpu: { ...nothing, shares: 4000, ...cpu },
    memory: { ...nothing, shares: 163_840, ...memory },
  };
}

type VmGiven = Partial<Omit<VmNode, 'cpu' | 'memory'>> & {
  readonly cpu?: Partial<Allocation>;
  readonly memory?: Partial<Allocation>;
};

/** One vCPU and 1 GB, nothing reserved; but for what is given. */
export function vmNode(id: string, pool: string, given: VmGiven = {}): VmNode {
  return {
    ...{ id, pool, numCPU: 1, memoryMB: 1024, overheadMB: 0 },
    ...given,
    cpu: { ...nothing, ...given.cpu },
    memory: { ...nothing, shares: 10_240, ...given.memory },
  };
}
