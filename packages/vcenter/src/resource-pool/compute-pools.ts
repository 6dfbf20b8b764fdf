// What is reserved in the pools of each compute resource, kept up to date as pools change and VMs start and end, and shown in
// the pools' runtime. Decides nothing: admission asks the trees.
import {
  allocationOf,
  findReservationFault,
  isSameLoad,
  loadOfVm,
  noLoad,
  type PoolLoad,
  type PoolSettings,
  PoolTree,
  plusLoad,
  poolFigures,
  poolRuntimeInfo,
  type Resources,
  sumLoads,
} from '@vivarium/drs/resource-pool';
import {
  type MoRef,
  make,
  type ResourceConfigSpec,
  type ResourcePoolRuntimeInfo,
  type ResourcePoolSummary,
  type VirtualMachineSummary,
} from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { isPool, poolRef } from './pool-ref.ts';
import { reservationOf } from './vm-reservation.ts';

type Pool = MoRef<'ResourcePool'>;
type VmRef = MoRef<'VirtualMachine'>;

/** A VM as it counts: what it reserves while it runs, and what it uses. */
interface VmShare {
  readonly pool: string;
  readonly isOn: boolean;
  readonly reservation: Resources;
  readonly load: PoolLoad;
}

const NOTHING: Resources = { cpuMhz: 0, memoryMB: 0 };

export class ComputePools {
  readonly #inventory: Inventory;
  readonly #graph: ObjectGraph;
  /** By the root pool's key, and by every pool's. */
  readonly #treeOf = new Map<string, PoolTree>();
  readonly #poolsIn = new Map<PoolTree, Set<string>>();
  readonly #vms = new Map<string, VmShare>();
  /** Of VMs that are about to run. */
  readonly #claims = new Map<string, VmShare>();
  /** What the VMs of each pool use, without those of pools below. */
  readonly #usage = new Map<string, PoolLoad>();
  readonly #dirty = new Set<PoolTree>();

  constructor(inventory: Inventory, graph: ObjectGraph) {
    this.#inventory = inventory;
    this.#graph = graph;
    for (const [ref] of inventory.ofType('ResourcePool')) this.#ensure(ref);
    for (const [ref] of inventory.ofType('VirtualApp')) this.#ensure(ref as Pool);
    inventory.onChange(({ ref, before, after }) => {
      const { type } = ref as { type: string };
      if (isPool(ref as MoRef)) this.#poolChanged(ref as unknown as Pool, before as never, after as never);
      if (type === 'VirtualMachine') this.vmShown(ref as unknown as VmRef);
    });
  }

  /** The tree that the pool is in; its keys are the pools' ids. */
  treeOf(pool: Pool): PoolTree {
    return this.#ensure(pool);
  }

  setCapacity(rootPool: Pool, capacity: Resources): void {
    const tree = this.#ensure(rootPool);
    tree.setCapacity(capacity);
    this.#touch(tree);
  }

  /**
   * A VM is about to power on: what it reserves is held until it is shown to run, or this is disposed of. Of several that want the same
   * at once, one gets it. Faults: InsufficientCpuResourcesFault, InsufficientMemoryResourcesFault.
   */
  claim(vm: VmRef): Disposable {
    const key = vm.value;
    const isCounted = this.#vms.get(key)?.isOn || this.#claims.has(key);
    if (!isCounted) {
      const pool = this.#inventory.get<'VirtualMachine'>(vm).resourcePool.value;
      const reservation = reservationOf(this.#graph.find(vm)?.getPath('summary') as VirtualMachineSummary | undefined);
      const fault = findReservationFault(this.#ensure(poolRef(pool)), pool, reservation);
      if (fault) throw fault;
      const share = { pool, isOn: true, reservation, load: noLoad };
      this.#claims.set(key, share);
      this.#count(share, 1);
    }
    return { [Symbol.dispose]: () => (isCounted ? undefined : this.#unclaim(key)) };
  }

  /** What a host told of a VM is in the graph, or the VM has gone or is in another pool. */
  vmShown(vm: VmRef): void {
    const former = this.#vms.get(vm.value);
    const now = this.#shareOf(vm);
    this.#moveClaim(vm, now);
    if (former && now && isSame(former, now)) return;
    if (former) this.#count(former, -1);
    if (now) {
      this.#vms.set(vm.value, now);
      this.#count(now, 1);
    } else this.#vms.delete(vm.value);
  }

  #moveClaim(vm: VmRef, now: VmShare | undefined): void {
    const claim = this.#claims.get(vm.value);
    if (!claim) return;
    const pool = this.#inventory.find<'VirtualMachine'>(vm)?.resourcePool.value;
    if (now?.isOn || pool === undefined) this.#unclaim(vm.value);
    else if (pool !== claim.pool) {
      const moved = { ...claim, pool };
      this.#count(claim, -1);
      this.#claims.set(vm.value, moved);
      this.#count(moved, 1);
    }
  }

  #unclaim(vm: string): void {
    const claim = this.#claims.get(vm);
    if (claim) this.#count(claim, -1);
    this.#claims.delete(vm);
  }

  #shareOf(vm: VmRef): VmShare | undefined {
    const record = this.#inventory.find<'VirtualMachine'>(vm);
    const summary = this.#graph.find(vm)?.getPath('summary') as VirtualMachineSummary | undefined;
    if (!record || !summary) return undefined;
    const isOn = summary.runtime.powerState === 'poweredOn';
    const reservation = isOn ? reservationOf(summary) : NOTHING;
    return { pool: record.resourcePool.value, isOn, reservation, load: loadOfVm(summary) };
  }

  #count({ pool, reservation, load }: VmShare, sign: 1 | -1): void {
    const tree = this.#treeOf.get(pool);
    if (!tree?.has(pool)) return;
    if (sign > 0) tree.reserve(pool, reservation);
    else tree.release(pool, reservation);
    this.#usage.set(pool, plusLoad(this.#usage.get(pool) ?? noLoad, load, sign));
    this.#touch(tree);
  }

  #poolChanged(
    ref: Pool,
    before: EntityRecord<'ResourcePool'> | undefined,
    after: EntityRecord<'ResourcePool'> | undefined,
  ): void {
    if (!after) {
      const tree = this.#treeOf.get(ref.value);
      // With its compute resource the whole tree goes.
      if (tree && isPool(before?.parent) && tree.has(ref.value)) tree.removePool(ref.value);
      this.#treeOf.delete(ref.value);
      this.#leave(ref.value, tree);
      this.#usage.delete(ref.value);
      if (tree) this.#touch(tree);
      return;
    }
    const tree = this.#ensure(ref);
    if (before && after.config) {
      if (before.parent.value !== after.parent.value) tree.movePool(ref.value, after.parent.value);
      tree.changePool(ref.value, settingsOf(after.config));
    }
    this.#touch(tree);
  }

  #ensure(pool: Pool): PoolTree {
    const known = this.#treeOf.get(pool.value);
    if (known) return known;
    const { parent, config } = this.#inventory.get<'ResourcePool'>(pool);
    if (!isPool(parent) || !config) {
      return this.#enter(pool.value, new PoolTree(pool.value, NOTHING));
    }
    const tree = this.#ensure(parent);
    tree.addPool(pool.value, parent.value, settingsOf(config));
    return this.#enter(pool.value, tree);
  }

  #enter(pool: string, tree: PoolTree): PoolTree {
    this.#treeOf.set(pool, tree);
    const pools = this.#poolsIn.get(tree) ?? new Set();
    this.#poolsIn.set(tree, pools.add(pool));
    return tree;
  }

  #leave(pool: string, tree: PoolTree | undefined): void {
    const pools = tree && this.#poolsIn.get(tree);
    pools?.delete(pool);
    if (tree && pools?.size === 0) this.#poolsIn.delete(tree);
  }

  #touch(tree: PoolTree): void {
    if (this.#dirty.size === 0) queueMicrotask(() => this.#publish());
    this.#dirty.add(tree);
  }

  #publish(): void {
    const dirty = new Set(this.#dirty);
    this.#dirty.clear();
    for (const tree of dirty) this.#publishTree(tree, this.#poolsIn.get(tree) ?? new Set());
  }

  #publishTree(tree: PoolTree, pools: ReadonlySet<string>): void {
    const usage = this.#usageWithin(tree, pools);
    for (const key of pools) {
      const object = tree.has(key) ? this.#graph.find(poolRef(key)) : undefined;
      const config = object?.get('config');
      if (!object || !config) continue;
      const load = usage.get(key) ?? noLoad;
      const runtime = poolRuntimeInfo(tree, key, { cpuMhz: load.cpuMhz, memoryBytes: load.memoryMB * 2 ** 20 });
      const name = object.get('name') ?? '';
      object.update({ runtime, summary: summaryOf(object, { name, config, runtime, ...poolFigures(load) }) });
    }
  }

  /** Of each pool, with the pools below it. */
  #usageWithin(tree: PoolTree, pools: ReadonlySet<string>): ReadonlyMap<string, PoolLoad> {
    const loads = [...pools].flatMap((pool) => {
      const load = tree.has(pool) ? this.#usage.get(pool) : undefined;
      return load ? [{ pool, load }] : [];
    });
    return sumLoads(loads, (pool) => tree.parentOf(pool));
  }
}

/** A vApp's says more than a pool's. */
function summaryOf(
  object: { get(property: 'summary'): ResourcePoolSummary | undefined },
  now: {
    readonly name: string;
    readonly config: ResourceConfigSpec;
    readonly runtime: ResourcePoolRuntimeInfo;
  } & ReturnType<typeof poolFigures>,
): ResourcePoolSummary {
  const former = object.get('summary');
  return former ? { ...former, ...now } : make('ResourcePoolSummary', now);
}

export function settingsOf({ cpuAllocation, memoryAllocation }: ResourceConfigSpec): PoolSettings {
  return {
    cpu: allocationOf(cpuAllocation, { of: 'poolCpu' }),
    memory: allocationOf(memoryAllocation, { of: 'poolMemory' }),
  };
}

function isSame(one: VmShare, other: VmShare): boolean {
  return (
    one.pool === other.pool &&
    one.isOn === other.isOn &&
    isSameLoad(one.load, other.load) &&
    one.reservation.cpuMhz === other.reservation.cpuMhz &&
    one.reservation.memoryMB === other.reservation.memoryMB
  );
}
