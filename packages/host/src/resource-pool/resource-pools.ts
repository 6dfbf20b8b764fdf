// The resource pools of a host and which VM is in which: kept in the store, admitted against what is left, and given to the
// machine's scheduler. Knows no managed objects: a publisher listens.
//
// Order of a change: checked → true in memory (so that nobody is admitted on what is being given away) → in the store → told
// to listeners and control groups. When the store refuses, memory is put back. Changes of pools wait for one another; VMs
// come and go in between without waiting.
import { type Clock, dateTime, type Logger, Mutex } from '@vivarium/base';
import {
  changedPoolAllocation,
  findNewPoolFault,
  findPoolChangeFault,
  findPoolMoveFault,
  findVmMoveFault,
  newPoolAllocation,
  type PoolTree,
} from '@vivarium/drs/resource-pool';
import type { Op, Store } from '@vivarium/store';
import { MethodFault, type ResourceAllocationInfo, type ResourceConfigSpec } from '@vivarium/vim';
import { canonicalName } from '@vivarium/vmx';
import type { GroupKeeper } from './control-groups.ts';
import {
  allocationsOf,
  checkPoolName,
  checkRoom,
  descendants,
  type PoolDocument,
  type PoolRecord,
  poolRef,
  rootPool,
} from './pool-record.ts';
import { RunningVms } from './running-vms.ts';
import { type Resource, ROOT_POOL } from './share-tree.ts';
import type { Admission, VmResources } from './vm-resources.ts';

const POOL = 'pool/';
const MEMBER = 'pool-vm/';
const COUNTER = 'pool-counter';

export interface ResourcePoolsOptions {
  readonly store: Pick<Store, 'get' | 'range' | 'batch'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** MHz and MB that VMs can have. */
  readonly capacity: Readonly<Record<Resource, number>>;
  /** Of one processor. */
  readonly cpuMhz: number;
  /** Undefined where the machine has no control groups for us. */
  readonly groups: GroupKeeper | undefined;
}

/** Hears what has changed, when it is on disk. */
export interface PoolsListener {
  added(pool: PoolRecord): void;
  removed(pool: PoolRecord): void;
  /** Name, parent or allocation. */
  changed(pool: PoolRecord, before: PoolRecord): void;
  moved(vm: string, pool: string, former: string): void;
  /** What is reserved, or can be. */
  usageChanged(): void;
}

/** What a change does: pools by id (undefined = it goes), VMs' new pools. */
interface Change<R> {
  readonly pools: ReadonlyMap<string, PoolRecord | undefined>;
  readonly members?: ReadonlyMap<string, string>;
  readonly ops?: readonly Op[];
  readonly result: R;
}

export class ResourcePools implements VmResources {
  readonly #options: ResourcePoolsOptions;
  readonly #mutex = new Mutex();
  readonly #pools: Map<string, PoolRecord>;
  /** VMs that are not in the root pool. */
  readonly #members: Map<string, string>;
  readonly #running: RunningVms;
  readonly #listeners = new Set<Partial<PoolsListener>>();
  #lastId: number;

  constructor(options: ResourcePoolsOptions) {
    this.#options = options;
    const { store, capacity } = options;
    this.#lastId = store.get<number>(COUNTER)?.value ?? 0;
    const documents = store.range<PoolDocument>(POOL).map(({ value: { version: _version, ...record } }) => record);
    this.#pools = new Map([rootPool(capacity), ...documents].map((pool) => [pool.id, pool]));
    this.#members = new Map(store.range<string>(MEMBER).map(({ key, value }) => [key.slice(MEMBER.length), value]));
    this.#running = new RunningVms({
      ...options,
      poolOf: (vm) => this.poolOf(vm),
      pools: () => this.#pools,
      planned: () => {
        for (const listener of this.#listeners) listener.usageChanged?.();
      },
    });
  }

  /** `vms`: all that are listed. Those that run are adopted: from now on control groups are kept as they should be. */
  async start(vms: ReadonlySet<string>): Promise<void> {
    const stale = [...this.#members.keys()].filter((vm) => !vms.has(vm));
    for (const vm of stale) this.#members.delete(vm);
    if (stale.length > 0) await this.#options.store.batch(stale.map((vm) => ({ delete: `${MEMBER}${vm}` })));
    await this.#running.start();
  }

  get all(): readonly PoolRecord[] {
    return [...this.#pools.values()];
  }

  /** What is reserved where; not to be changed. */
  get tree(): PoolTree {
    return this.#running.tree;
  }

  /** Throws ManagedObjectNotFound. */
  get(id: string): PoolRecord {
    const pool = this.#pools.get(id);
    if (!pool) throw new MethodFault('ManagedObjectNotFound', { obj: poolRef(id) });
    return pool;
  }

  poolOf(vm: string): string {
    const pool = this.#members.get(vm) ?? ROOT_POOL;
    return this.#pools.has(pool) ? pool : ROOT_POOL;
  }

  /** The VM's pool and all around it. */
  around(vm: string): string[] {
    const found: string[] = [];
    for (let id: string | undefined = this.poolOf(vm); id !== undefined; id = this.get(id).parent) found.push(id);
    return found;
  }

  listen(listener: Partial<PoolsListener>): void {
    this.#listeners.add(listener);
  }

  /** Faults: those of CreateResourcePool. */
  create(parent: string, wantedName: string, spec: ResourceConfigSpec): Promise<PoolRecord> {
    return this.#change(() => {
      this.get(parent);
      const name = canonicalName(wantedName);
      checkPoolName(this.#pools, parent, name);
      checkRoom(this.#pools, parent);
      checkScaling(spec);
      const id = `pool${this.#lastId + 1}`;
      const pool: PoolRecord = {
        ...{ id, parent, name },
        cpu: newPoolAllocation('cpu', spec.cpuAllocation),
        memory: newPoolAllocation('memory', spec.memoryAllocation),
        ...this.#version(undefined),
      };
      refuse(findNewPoolFault(this.tree, parent, allocationsOf(pool)));
      this.#lastId += 1;
      return { pools: new Map([[id, pool]]), ops: [{ put: COUNTER, value: this.#lastId }], result: pool };
    });
  }

  /** UpdateConfig and Rename: what is undefined stays. */
  update(id: string, wantedName: string | undefined, spec: ResourceConfigSpec | undefined): Promise<void> {
    return this.#change(() => {
      const pool = this.#changed(this.tree, this.#own(id), wantedName, spec);
      return { pools: new Map([[id, pool]]), result: undefined };
    });
  }

  /**
   * Several children of a pool, one after the other, in one write. After the first that is refused nothing more is changed;
   * what came before is.
   */
  async updateChildren(
    parent: string,
    specs: readonly { readonly id: string; readonly spec: ResourceConfigSpec }[],
  ): Promise<void> {
    const refusal = await this.#change(() => {
      const pools = new Map<string, PoolRecord>();
      const tree = this.#running.copyTree();
      try {
        for (const { id, spec } of specs) {
          if (this.#pools.get(id)?.parent !== parent) {
            throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.entity' });
          }
          const pool = this.#changed(tree, pools.get(id) ?? this.#own(id), undefined, spec);
          tree.changePool(id, allocationsOf(pool));
          pools.set(id, pool);
        }
      } catch (error) {
        if (!(error instanceof MethodFault)) throw error;
        return { pools, result: error };
      }
      return { pools, result: undefined };
    });
    if (refusal) throw refusal;
  }

  /** Faults: those of MoveIntoResourcePool. */
  move(id: string, target: string): Promise<void> {
    return this.#change(() => {
      const pool = this.#own(id);
      this.get(target);
      if (pool.parent === target) return { pools: new Map(), result: undefined };
      refuse(findPoolMoveFault(this.tree, id, target));
      checkPoolName(this.#pools, target, pool.name, id);
      checkRoom(this.#pools, target, id);
      return { pools: new Map([[id, { ...pool, parent: target }]]), result: undefined };
    });
  }

  moveVm(vm: string, target: string): Promise<void> {
    return this.#change(() => {
      this.get(target);
      const former = this.poolOf(vm);
      if (former === target) return { pools: new Map(), result: undefined };
      const reserved = this.#running.reservedBy(vm);
      if (reserved) refuse(findVmMoveFault(this.tree, former, target, reserved));
      return { pools: new Map(), members: new Map([[vm, target]]), result: undefined };
    });
  }

  /** The pool goes; what is in it comes into its parent. */
  destroy(id: string): Promise<void> {
    return this.#change(() => {
      const { parent = ROOT_POOL } = this.#own(id);
      const inside = this.all.filter((pool) => pool.parent === id);
      for (const { name } of inside) checkPoolName(this.#pools, parent, name, id);
      const pools = new Map<string, PoolRecord | undefined>(inside.map((pool) => [pool.id, { ...pool, parent }]));
      return { pools: pools.set(id, undefined), members: this.#membersOf([id], parent), result: undefined };
    });
  }

  /** All pools in this one go; their VMs come into it. */
  destroyChildren(id: string): Promise<void> {
    return this.#change(() => {
      this.get(id);
      const inside = descendants(this.#pools, id)
        .slice(1)
        .map((pool) => pool.id);
      const pools = new Map(inside.toReversed().map((pool) => [pool, undefined]));
      return { pools, members: this.#membersOf(inside, id), result: undefined };
    });
  }

  place(vm: string, pool: string): readonly Op[] {
    this.get(pool);
    if (pool === ROOT_POOL) return [];
    this.#members.set(vm, pool);
    return [{ put: `${MEMBER}${vm}`, value: pool }];
  }

  leave(vm: string): readonly Op[] {
    return this.#members.has(vm) ? [{ delete: `${MEMBER}${vm}` }] : [];
  }

  forget(vm: string): void {
    this.#members.delete(vm);
  }

  admit(...args: Parameters<VmResources['admit']>): Admission {
    return this.#running.admit(...args);
  }

  adopt(...args: Parameters<VmResources['adopt']>): Admission {
    return this.#running.adopt(...args);
  }

  #own(id: string): PoolRecord {
    if (id === ROOT_POOL) throw new MethodFault('NotSupported', {}, 'The root resource pool cannot be changed.');
    return this.get(id);
  }

  #changed(
    tree: PoolTree,
    current: PoolRecord,
    wantedName: string | undefined,
    spec: ResourceConfigSpec | undefined,
  ): PoolRecord {
    const { id, parent = ROOT_POOL } = current;
    const name = wantedName === undefined ? current.name : canonicalName(wantedName);
    if (name !== current.name) checkPoolName(this.#pools, parent, name, id);
    if (!spec) return { ...current, name };
    if (spec.changeVersion !== undefined && spec.changeVersion !== '' && spec.changeVersion !== current.changeVersion) {
      throw new MethodFault('ConcurrentAccess', {});
    }
    checkScaling(spec);
    const allocation = (resource: Resource, info: ResourceAllocationInfo | undefined) =>
      info ? changedPoolAllocation(resource, current[resource], info) : current[resource];
    const pool: PoolRecord = {
      ...current,
      name,
      cpu: allocation('cpu', spec.cpuAllocation),
      memory: allocation('memory', spec.memoryAllocation),
      ...this.#version(current),
    };
    refuse(findPoolChangeFault(tree, id, allocationsOf(pool)));
    return pool;
  }

  #version(before: PoolRecord | undefined): Pick<PoolRecord, 'changeVersion' | 'lastModified'> {
    return {
      changeVersion: String(Number(before?.changeVersion ?? 0) + 1),
      lastModified: dateTime(this.#options.clock),
    };
  }

  #membersOf(pools: readonly string[], target: string): Map<string, string> {
    const inside = new Set(pools);
    return new Map(Array.from(this.#members).flatMap(([vm, pool]) => (inside.has(pool) ? [[vm, target]] : [])));
  }

  #change<R>(plan: () => Change<R>): Promise<R> {
    return this.#mutex.run(async () => {
      const { result, pools, members = new Map<string, string>(), ops = [] } = plan();
      if (pools.size === 0 && members.size === 0) return result;
      const formerPools = new Map(Array.from(pools.keys(), (id) => [id, this.#pools.get(id)]));
      const formerMembers = new Map(Array.from(members.keys(), (vm) => [vm, this.poolOf(vm)]));
      this.#install(pools, members);
      try {
        await this.#options.store.batch([...operations(pools, members), ...ops]);
      } catch (error) {
        this.#install(formerPools, formerMembers);
        throw error;
      }
      this.#tell(pools, formerPools, formerMembers);
      await this.#running.replan();
      return result;
    });
  }

  #install(pools: ReadonlyMap<string, PoolRecord | undefined>, members: ReadonlyMap<string, string>): void {
    for (const [id, pool] of pools) {
      if (pool) this.#pools.set(id, pool);
      else this.#pools.delete(id);
    }
    for (const [vm, pool] of members) {
      if (pool === ROOT_POOL) this.#members.delete(vm);
      else this.#members.set(vm, pool);
    }
    this.#running.poolsChanged();
  }

  #tell(
    pools: ReadonlyMap<string, PoolRecord | undefined>,
    formerPools: ReadonlyMap<string, PoolRecord | undefined>,
    formerMembers: ReadonlyMap<string, string>,
  ): void {
    for (const listener of this.#listeners) {
      for (const [id, pool] of pools) {
        const before = formerPools.get(id);
        if (pool && before) listener.changed?.(pool, before);
        else if (pool) listener.added?.(pool);
      }
      for (const [vm, former] of formerMembers) listener.moved?.(vm, this.poolOf(vm), former);
      for (const [id, before] of formerPools) if (before && !pools.get(id)) listener.removed?.(before);
    }
  }
}

function operations(pools: Change<unknown>['pools'], members: ReadonlyMap<string, string>): Op[] {
  return [
    ...Array.from(pools, ([id, pool]): Op => {
      const key = `${POOL}${id}`;
      return pool ? { put: key, value: { version: 1, ...pool } } : { delete: key };
    }),
    ...Array.from(members, ([vm, pool]): Op => {
      const key = `${MEMBER}${vm}`;
      return pool === ROOT_POOL ? { delete: key } : { put: key, value: pool };
    }),
  ];
}

function refuse(fault: MethodFault | undefined): void {
  if (fault) throw fault;
}

function checkScaling({ scaleDescendantsShares }: ResourceConfigSpec): void {
  if (scaleDescendantsShares === undefined || scaleDescendantsShares === 'disabled') return;
  throw new MethodFault('NotSupported', {}, 'Shares do not scale with what is in a pool.');
}
