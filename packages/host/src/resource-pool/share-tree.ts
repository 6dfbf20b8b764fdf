// A host's pools and running VMs at one moment, as plain data: what is divided between whom. Pure.
// Processors in MHz, memory in MB.
import type { Allocation } from '@vivarium/drs/resource-pool';

/** Id of the pool that has all of the host. */
export const ROOT_POOL = 'ha-root-pool';

export interface PoolNode {
  readonly id: string;
  /** Undefined for the root pool only. */
  readonly parent: string | undefined;
  readonly cpu: Allocation;
  readonly memory: Allocation;
}

/** What a VM asks for while it runs. */
export interface VmDemand {
  readonly cpu: Allocation;
  /** Of the guest's memory. */
  readonly memory: Allocation;
  readonly numCPU: number;
  readonly memoryMB: number;
  /** What the VMM needs besides the guest's memory: always reserved. */
  readonly overheadMB: number;
}

export interface VmNode extends VmDemand {
  readonly id: string;
  readonly pool: string;
}

export interface ShareTree {
  /** MHz of all processors. */
  readonly capacityMhz: number;
  /** MHz of one processor: what a vCPU can use at most. */
  readonly cpuMhz: number;
  /** With the root pool. */
  readonly pools: Iterable<PoolNode>;
  /** Those that run. */
  readonly vms: Iterable<VmNode>;
}

/** A pool with what is directly in it. */
export interface Branch {
  readonly pool: PoolNode;
  readonly branches: readonly Branch[];
  readonly vms: readonly VmNode[];
}

/** The tree from the root pool down. */
export function branchesOf(tree: ShareTree): Branch {
  const made = new Map<string, { pool: PoolNode; branches: Branch[]; vms: VmNode[] }>();
  for (const pool of tree.pools) made.set(pool.id, { pool, branches: [], vms: [] });
  for (const branch of made.values()) {
    if (branch.pool.parent !== undefined) made.get(branch.pool.parent)?.branches.push(branch);
  }
  for (const vm of tree.vms) made.get(vm.pool)?.vms.push(vm);
  const root = made.get(ROOT_POOL);
  if (!root) throw new Error('a tree of pools without its root');
  return root;
}

export type Resource = 'cpu' | 'memory';

/** What a running VM takes out of its pool. */
export function needOf(vm: VmDemand, resource: Resource): number {
  return resource === 'cpu' ? vm.cpu.reservation : vm.memory.reservation + vm.overheadMB;
}

/** What a pool takes out of its parent. */
export function claimOf({ pool, branches, vms }: Branch, resource: Resource): number {
  const { reservation, isExpandable } = pool[resource];
  if (!isExpandable) return reservation;
  const used =
    vms.reduce((sum, vm) => sum + needOf(vm, resource), 0) +
    branches.reduce((sum, branch) => sum + claimOf(branch, resource), 0);
  return Math.max(reservation, used);
}
