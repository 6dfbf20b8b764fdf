// The running VMs of a host in its pools: admitted against what their pools have left, and given their part of the machine.
// Every change makes the plan of shares anew; what differs in it goes to the control groups and to the VMs.
import type { Logger } from '@vivarium/base';
import { findReservationFault, PoolTree, type Resources } from '@vivarium/drs/resource-pool';
import { controlGroups, type GroupKeeper } from './control-groups.ts';
import { planShares, type SharePlan, type VmShare } from './plan-shares.ts';
import { allocationsOf, descendants, type Pools } from './pool-record.ts';
import { needOf, type Resource, ROOT_POOL, type VmDemand } from './share-tree.ts';
import type { Admission } from './vm-resources.ts';

export interface RunningVmsOptions {
  readonly log: Logger;
  readonly capacity: Readonly<Record<Resource, number>>;
  readonly cpuMhz: number;
  readonly groups: GroupKeeper | undefined;
  readonly pools: () => Pools;
  readonly poolOf: (vm: string) => string;
  /** The plan was made anew. */
  readonly planned: () => void;
}

interface RunningVm {
  demand: VmDemand;
  readonly heard: (share: VmShare) => void;
}

export class RunningVms {
  readonly #options: RunningVmsOptions;
  readonly #vms = new Map<string, RunningVm>();
  #tree: PoolTree;
  #plan: SharePlan = { pools: [], vms: new Map() };
  #settled: Promise<void> = Promise.resolve();
  #isStarted = false;

  constructor(options: RunningVmsOptions) {
    this.#options = options;
    this.#tree = new PoolTree(ROOT_POOL, { cpuMhz: options.capacity.cpu, memoryMB: options.capacity.memory });
    this.poolsChanged();
  }

  /** Until now control groups were left as they are: VMs that run may not all be known. */
  start(): Promise<void> {
    this.#isStarted = true;
    return this.replan();
  }

  get tree(): PoolTree {
    return this.#tree;
  }

  /** One to try changes on. */
  copyTree(): PoolTree {
    const { capacity, pools, poolOf } = this.#options;
    const tree = new PoolTree(ROOT_POOL, { cpuMhz: capacity.cpu, memoryMB: capacity.memory });
    for (const pool of descendants(pools(), ROOT_POOL)) {
      if (pool.parent !== undefined) tree.addPool(pool.id, pool.parent, allocationsOf(pool));
    }
    for (const [vm, { demand }] of this.#vms) tree.reserve(poolOf(vm), reservationOf(demand));
    return tree;
  }

  /** Pools came, went or changed, or VMs are in others. */
  poolsChanged(): void {
    this.#tree = this.copyTree();
  }

  /** Undefined = it does not run. */
  reservedBy(vm: string): Resources | undefined {
    const running = this.#vms.get(vm);
    return running && reservationOf(running.demand);
  }

  admit(vm: string, demand: VmDemand, heard: (share: VmShare) => void): Admission {
    const fault = findReservationFault(this.#tree, this.#options.poolOf(vm), reservationOf(demand));
    if (fault) throw fault;
    return this.adopt(vm, demand, heard);
  }

  adopt(vm: string, demand: VmDemand, heard: (share: VmShare) => void): Admission {
    const { poolOf } = this.#options;
    const own: RunningVm = { demand, heard };
    this.#vms.set(vm, own);
    this.#tree.reserve(poolOf(vm), reservationOf(demand));
    void this.replan();
    const isHeld = () => this.#vms.get(vm) === own;
    const replace = (next: VmDemand) => {
      if (!isHeld()) return;
      this.#tree.release(poolOf(vm), reservationOf(own.demand));
      own.demand = next;
      this.#tree.reserve(poolOf(vm), reservationOf(next));
      void this.replan();
    };
    return {
      ready: async () => {
        await this.#settled;
        return this.#plan.vms.get(vm);
      },
      change: (next) => {
        const fault = isHeld() && findReservationFault(this.#tree, poolOf(vm), growth(own.demand, next));
        if (fault) throw fault;
        replace(next);
      },
      correct: replace,
      release: () => {
        if (!isHeld()) return;
        this.#vms.delete(vm);
        this.#tree.release(poolOf(vm), reservationOf(own.demand));
        void this.replan();
      },
    };
  }

  /** Tells running VMs and the machine what has changed for them; resolves when the control groups are so. */
  replan(): Promise<void> {
    if (!this.#isStarted) return this.#settled;
    const { groups, cpuMhz, capacity, log, pools, poolOf, planned } = this.#options;
    const former = this.#plan;
    this.#plan = planShares({
      capacityMhz: capacity.cpu,
      cpuMhz,
      pools: Array.from(pools().values(), (pool) => ({ id: pool.id, parent: pool.parent, ...allocationsOf(pool) })),
      vms: Array.from(this.#vms, ([id, { demand }]) => ({ ...demand, id, pool: poolOf(id) })),
    });
    if (groups) {
      this.#settled = groups.apply(controlGroups(this.#plan, cpuMhz)).catch((error: unknown) => {
        log.error({ err: error }, 'the control groups of resource pools are not as they should be');
      });
    }
    for (const [vm, share] of this.#plan.vms) {
      if (isNews(former.vms.get(vm), share)) this.#vms.get(vm)?.heard(share);
    }
    planned();
    return this.#settled;
  }
}

function reservationOf(demand: VmDemand): Resources {
  return { cpuMhz: needOf(demand, 'cpu'), memoryMB: needOf(demand, 'memory') };
}

/** What a running VM asks for in addition; less than nothing where it asks for less. */
function growth(before: VmDemand, after: VmDemand): Resources {
  const [old, next] = [reservationOf(before), reservationOf(after)];
  return { cpuMhz: next.cpuMhz - old.cpuMhz, memoryMB: next.memoryMB - old.memoryMB };
}

function isNews(before: VmShare | undefined, now: VmShare): boolean {
  return (
    before?.balloonTargetMB !== now.balloonTargetMB ||
    before.maxCpuMhz !== now.maxCpuMhz ||
    before.maxMemoryMB !== now.maxMemoryMB
  );
}
