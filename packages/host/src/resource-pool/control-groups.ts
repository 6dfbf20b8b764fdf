// The share plan of a host as control groups. Pure.
import type { Group } from '@vivarium/qemu';
import type { PoolShare, SharePlan, VmShare } from './plan-shares.ts';

/** What keeps the machine's control groups; CgroupTree in production. */
export interface GroupKeeper {
  apply(groups: readonly Group[]): Promise<void>;
  enter(name: string, pid: number): Promise<void>;
  /** Time so far that a group was held back by its own limit of processors. */
  throttledNs(name: string): number | undefined;
}

/** Threads of a VMM: vCPUs, block workers, VNC. Far more than any has, far fewer than would hurt. */
const VMM_TASKS = 4096;
const MB = 2 ** 20;

export function vmGroup(vm: string): string {
  return `vm-${vm}`;
}

/** Parents first. `cpuMhz`: of one processor. */
export function controlGroups(plan: SharePlan, cpuMhz: number): Group[] {
  return [
    ...plan.pools.map((pool): Group => {
      const limits = { ...processors(pool, cpuMhz), guaranteedBytes: pool.guaranteedMB * MB };
      return { ...place(pool.id, pool), holds: 'groups', limits };
    }),
    ...Array.from(plan.vms.values(), (vm): Group => {
      const limits = { ...processors(vm, cpuMhz), ...memory(vm), tasks: VMM_TASKS };
      return { ...place(vmGroup(vm.id), vm), holds: 'processes', limits };
    }),
  ];
}

function place(name: string, { parent }: PoolShare) {
  return { name, ...(parent === undefined ? {} : { parent }) };
}

// vSphere's shares of one vCPU weigh as much as one ordinary process.
function processors({ cpuWeight, cpuLimitMhz }: PoolShare, cpuMhz: number) {
  return {
    cpuShares: (cpuWeight * 1024) / 1000,
    ...(cpuLimitMhz === undefined ? {} : { cpuLimit: cpuLimitMhz / cpuMhz }),
  };
}

function memory({ guaranteedMB, allowedMB, memoryMB, overheadMB }: VmShare) {
  return {
    guaranteedBytes: guaranteedMB * MB,
    ...(allowedMB < memoryMB ? { ceilingBytes: (allowedMB + overheadMB) * MB } : {}),
  };
}
