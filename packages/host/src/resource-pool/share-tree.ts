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

/** A pool with what is directly in it, and what that comes to. */
export interface Branch {
  readonly pool: PoolNode;
  readonly branches: readonly Branch[];
  readonly vms: readonly VmNode[];
  /** Something runs in it. */
  readonly isBusy: boolean;
  /** What it takes out of the pool around it. */
  readonly claim: Readonly<Record<Resource, number>>;
  /** Memory that it can use at most, with what its VMMs need. */
  readonly usableMB: number;
}

/** The tree from the root pool down. */
export function branchesOf(tree: ShareTree): Branch {
  const inside = new Map<string | undefined, PoolNode[]>();
  for (const pool of tree.pools) add(inside, pool.parent, pool);
  const vms = new Map<string, VmNode[]>();
  for (const vm of tree.vms) add(vms, vm.pool, vm);
  const grow = (pool: PoolNode): Branch => {
    const branches = (inside.get(pool.id) ?? []).map(grow);
    const own = vms.get(pool.id) ?? [];
    const used = (resource: Resource) =>
      own.reduce((sum, vm) => sum + needOf(vm, resource), 0) +
      branches.reduce((sum, { claim }) => sum + claim[resource], 0);
    const claim = (resource: Resource) => {
      const { reservation, isExpandable } = pool[resource];
      return isExpandable ? Math.max(reservation, used(resource)) : reservation;
    };
    const usable =
      own.reduce((sum, vm) => sum + usableBy(vm), 0) + branches.reduce((sum, { usableMB }) => sum + usableMB, 0);
    return {
      ...{ pool, branches, vms: own },
      isBusy: own.length > 0 || branches.some(({ isBusy }) => isBusy),
      claim: { cpu: claim('cpu'), memory: claim('memory') },
      usableMB: Math.min(pool.memory.limit, usable),
    };
  };
  const [root] = inside.get(undefined) ?? [];
  if (!root) throw new Error('a tree of pools without its root');
  return grow(root);
}

export type Resource = 'cpu' | 'memory';

/** What a running VM takes out of its pool. */
export function needOf(vm: VmDemand, resource: Resource): number {
  return resource === 'cpu' ? vm.cpu.reservation : vm.memory.reservation + vm.overheadMB;
}

/** Memory that a VM can use at most, with what its VMM needs. */
export function usableBy({ memory, memoryMB, overheadMB }: VmDemand): number {
  return Math.min(memory.limit, memoryMB) + overheadMB;
}

function add<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
