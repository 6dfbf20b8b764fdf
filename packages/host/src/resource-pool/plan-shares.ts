// What every pool and running VM of a host is given, as numbers for the machine's own scheduler. Pure.
//
// Processors: siblings compete by weight. A weight is the number of shares, or more when that would be less than the
// reservation with everybody busy; so nobody's reservation depends on others being idle. A limit is a quota.
// Memory: a limit is met by the guest's balloon, as ESXi does it: a pool's limit is divided between its VMs by shares. What a
// pool has reserved beyond its VMs' own reservations is guaranteed to them in the same way.
import { type Division, divide, type Want } from './divide.ts';
import { type Branch, branchesOf, needOf, type ShareTree, usableBy, type VmNode } from './share-tree.ts';

export interface PoolShare {
  readonly id: string;
  /** Undefined at the top. */
  readonly parent: string | undefined;
  /** Against siblings. 1000 is one vCPU's ordinary weight. */
  readonly cpuWeight: number;
  /** Undefined when nothing binds more than what is around. */
  readonly cpuLimitMhz: number | undefined;
  readonly guaranteedMB: number;
}

export interface VmShare extends PoolShare {
  /** Of the host's memory that the guest may have; `memoryMB` when nothing limits it. */
  readonly allowedMB: number;
  /** What the balloon leaves the guest. More than `allowedMB` when that is less than a balloon can reach. */
  readonly balloonTargetMB: number;
  /** Both with what is around: VirtualMachineRuntimeInfo. */
  readonly maxCpuMhz: number;
  readonly maxMemoryMB: number;
  readonly overheadMB: number;
  readonly memoryMB: number;
}

export interface SharePlan {
  /** Without the root pool; parents first. */
  readonly pools: readonly PoolShare[];
  readonly vms: ReadonlyMap<string, VmShare>;
}

/** The largest weight: what control groups of both versions can tell apart. */
const MAX_WEIGHT = 250_000;
/** ESXi's balloon takes up to 65 % of a guest's memory (sched.mem.maxmemctl). */
const BALLOON_REACH = 0.65;

export function planShares(tree: ShareTree): SharePlan {
  const root = branchesOf(tree);
  const plan = { pools: [] as PoolShare[], vms: new Map<string, VmShare>() };
  const place = (branch: Branch, around: Around): void => {
    const { branches, vms } = branch;
    const busy = branches.filter(({ isBusy }) => isBusy);
    const cpu = weigh(around.cpuMhz, [
      ...busy.map(({ pool, claim }) => ({ shares: pool.cpu.shares, min: claim.cpu })),
      ...vms.map((vm) => ({ shares: vm.cpu.shares, min: vm.cpu.reservation })),
    ]);
    const memory = [
      ...busy.map(({ pool, claim, usableMB }) => want(pool.memory.shares, claim.memory, usableMB)),
      ...vms.map((vm) => want(vm.memory.shares, needOf(vm, 'memory'), usableBy(vm))),
    ];
    const allowed = divide(around.allowedMB, memory).parts;
    const guaranteed = divide(around.guaranteedMB, memory).parts;
    const parent = branch === root ? undefined : branch.pool.id;
    let index = 0;
    for (const child of branches) {
      const { id, cpu: given } = child.pool;
      const at = child.isBusy ? index : -1;
      if (child.isBusy) index += 1;
      const guaranteedMB = guaranteed[at] ?? 0;
      plan.pools.push({
        id,
        parent,
        cpuWeight: cpu.weights[at] ?? given.shares,
        cpuLimitMhz: given.limit < around.cpuLimitMhz ? given.limit : undefined,
        guaranteedMB: Math.ceil(guaranteedMB),
      });
      place(child, {
        cpuMhz: Math.min(cpu.parts[at] ?? 0, given.limit),
        cpuLimitMhz: Math.min(given.limit, around.cpuLimitMhz),
        allowedMB: allowed[at] ?? 0,
        guaranteedMB,
      });
    }
    for (const vm of vms) {
      plan.vms.set(vm.id, {
        ...vmCpu(vm, around.cpuLimitMhz, tree.cpuMhz),
        ...vmMemory(vm, allowed[index] ?? 0),
        id: vm.id,
        parent,
        cpuWeight: cpu.weights[index] ?? vm.cpu.shares,
        guaranteedMB: Math.ceil(guaranteed[index] ?? 0),
      });
      index += 1;
    }
  };
  place(root, {
    cpuMhz: tree.capacityMhz,
    cpuLimitMhz: Infinity,
    allowedMB: Infinity,
    guaranteedMB: 0, // at the top everybody has what he has reserved, and no more
  });
  return plan;
}

/** What comes down to the children of a pool. */
interface Around {
  /** Its part of the processors with everybody busy. */
  readonly cpuMhz: number;
  readonly cpuLimitMhz: number;
  readonly allowedMB: number;
  readonly guaranteedMB: number;
}

function want(shares: number, min: number, max: number): Want {
  return { shares, min: Math.min(min, max), max };
}

function weigh(
  cpuMhz: number,
  wants: readonly Pick<Want, 'shares' | 'min'>[],
): Pick<Division, 'parts'> & { readonly weights: readonly number[] } {
  const { parts, perShare } = divide(
    cpuMhz,
    wants.map((one) => ({ ...one, max: Infinity })),
  );
  // Where all is reserved, those without a reservation get next to nothing.
  const worth =
    perShare > 0 ? perShare : wants.reduce((most, { shares, min }) => Math.max(most, min / shares), 1) / 1000;
  const weights = wants.map(({ shares, min }) => Math.max(shares, min / worth));
  const scale = Math.min(1, MAX_WEIGHT / weights.reduce((most, weight) => Math.max(most, weight), 1));
  return { parts, weights: weights.map((weight) => Math.max(1, Math.round(weight * scale))) };
}

function vmCpu(vm: VmNode, around: number, cpuMhz: number): Pick<VmShare, 'cpuLimitMhz' | 'maxCpuMhz'> {
  const bound = Math.min(vm.cpu.limit, around);
  return {
    cpuLimitMhz: bound < around ? bound : undefined,
    maxCpuMhz: Math.min(bound, vm.numCPU * cpuMhz),
  };
}

function vmMemory(vm: VmNode, part: number): Omit<VmShare, keyof PoolShare | 'maxCpuMhz'> {
  const { memoryMB, overheadMB } = vm;
  const allowedMB = Math.min(memoryMB, Math.max(0, Math.floor(part - overheadMB)));
  return {
    allowedMB,
    balloonTargetMB: Math.max(allowedMB, Math.ceil(memoryMB * (1 - BALLOON_REACH))),
    maxMemoryMB: allowedMB,
    overheadMB,
    memoryMB,
  };
}
