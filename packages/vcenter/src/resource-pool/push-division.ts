// Keeps the pools of each compute resource divided among its hosts, so that what a pool promises holds wherever its VMs run.
// Hears of pools, hosts and VMs, asks drs for the division, and lets each host be brought to it in its own time.
// A compute resource without pools costs nothing.
import type { Clock, Logger } from '@vivarium/base';
import { type DividedVm, type DivisionChanges, type HostChange, PoolDivision, type VmLoad } from '@vivarium/drs';
import { allocationOf, type ShareUnit } from '@vivarium/drs/resource-pool';
import type { Store } from '@vivarium/store';
import {
  type HostListSummary,
  isFault,
  type MoRef,
  moRef,
  type ResourceAllocationInfo,
  type VirtualMachineSummary,
} from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';
import { type HostLink, HostUnreachable } from '../host-link/host-link.ts';
import { TryAgain } from '../hosts/try-again.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { HostPools } from './host-pools.ts';
import { isPool, poolRef } from './pool-ref.ts';
import { overheadMB } from './vm-reservation.ts';

type Host = MoRef<'HostSystem'>;
type Vm = MoRef<'VirtualMachine'>;

export interface PushDivisionOptions {
  readonly inventory: Inventory;
  readonly graph: ObjectGraph;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** undefined while the host is not connected. */
  readonly linkOf: (host: Host) => HostLink | undefined;
}

interface KnownVm extends DividedVm {
  readonly owner: string;
  readonly hostKey: string;
}

interface KnownHost {
  readonly owner: string;
  readonly vms: Set<string>;
}

/** How a host is brought up to date: one push after another. */
interface HostWork {
  readonly pools: HostPools;
  isDue: boolean;
  isRunning: boolean;
  /** Of the last push. */
  running: Promise<void>;
  /** A link whose host has no resource pools. */
  unable: HostLink | undefined;
}

interface Changes {
  readonly hosts: { set: NonNullable<NonNullable<DivisionChanges['hosts']>['set']>[number][]; removed: string[] };
  readonly pools: { set: NonNullable<NonNullable<DivisionChanges['pools']>['set']>[number][]; removed: string[] };
  readonly vms: { set: DividedVm[]; removed: string[] };
}

export class PushDivision {
  readonly #options: PushDivisionOptions;
  /** By the compute resource's id. */
  readonly #divisions = new Map<string, { readonly division: PoolDivision; readonly rootPool: string }>();
  /** Pool → compute resource, of those that the divisions have; hosts and VMs alike. */
  readonly #pools = new Map<string, string>();
  readonly #hosts = new Map<string, KnownHost>();
  readonly #vms = new Map<string, KnownVm>();
  readonly #work = new Map<string, HostWork>();
  readonly #tryAgain: TryAgain;
  readonly #due = { pools: new Set<string>(), hosts: new Set<string>(), vms: new Set<string>() };
  #isFlushing = false;
  #isClosed = false;

  constructor(options: PushDivisionOptions) {
    this.#options = options;
    const { inventory, clock } = options;
    this.#tryAgain = new TryAgain(clock, (host) => this.#push(host));
    for (const [ref] of inventory.ofType('ResourcePool')) this.#touch('pools', ref.value);
    for (const [ref] of inventory.ofType('VirtualApp')) this.#touch('pools', ref.value);
    inventory.onChange(({ ref, after }) => {
      const { type, value } = ref as { readonly type: string; readonly value: string };
      if (!after) this.#divisions.delete(value);
      if (isPool(ref as MoRef)) this.#touch('pools', value);
      if (type === 'HostSystem') this.#touch('hosts', value);
      if (type === 'VirtualMachine') this.#touch('vms', value);
    });
  }

  /** What a host told of a VM is in the graph, or the VM has gone. */
  vmShown(vm: Vm): void {
    this.#touch('vms', vm.value);
  }

  /** The host is connected, and all that it has is known. */
  hostConnected(host: Host): void {
    const work = this.#workOf(host.value);
    work.pools.begin();
    work.isDue = true;
    const owner = this.#options.inventory.find(host)?.parent;
    if (owner && !work.pools.isEmpty) this.#divide(owner as MoRef<'ComputeResource'>);
    this.#touch('hosts', host.value);
  }

  /** No more is begun; what runs is waited for. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tryAgain.close();
    await Promise.all(Array.from(this.#work.values(), async ({ running }) => running));
  }

  #touch(kind: 'pools' | 'hosts' | 'vms', key: string): void {
    this.#due[kind].add(key);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      if (!this.#isClosed) this.#flush();
    });
  }

  #flush(): void {
    const changes = new Map<string, Changes>();
    const of = (owner: string): Changes => {
      const known = changes.get(owner);
      if (known) return known;
      const made: Changes = {
        hosts: { set: [], removed: [] },
        pools: { set: [], removed: [] },
        vms: { set: [], removed: [] },
      };
      changes.set(owner, made);
      return made;
    };
    const hosts = new Set<string>();
    for (const key of this.#taken('pools')) this.#poolDue(key, of);
    for (const key of this.#taken('hosts')) {
      this.#hostDue(key, of);
      hosts.add(key);
    }
    for (const key of this.#taken('vms')) this.#vmDue(key, of, hosts);
    for (const [owner, change] of changes) for (const { host } of this.#apply(owner, change)) hosts.add(host);
    for (const host of hosts) this.#push(host);
  }

  #taken(kind: 'pools' | 'hosts' | 'vms'): string[] {
    const keys = [...this.#due[kind]];
    this.#due[kind].clear();
    return keys;
  }

  #apply(owner: string, { hosts, pools, vms }: Changes): HostChange[] {
    const known = this.#divisions.get(owner);
    if (!known) return [];
    const depths = new Map(pools.set.map(({ pool }) => [pool, this.#depthOf(pool)]));
    pools.set.sort((a, b) => (depths.get(a.pool) ?? 0) - (depths.get(b.pool) ?? 0));
    return known.division.apply({ hosts, pools, vms });
  }

  #depthOf(pool: string): number {
    const parent = this.#options.inventory.find<'ResourcePool'>(poolRef(pool))?.parent;
    return isPool(parent) ? 1 + this.#depthOf(parent.value) : 0;
  }

  #poolDue(key: string, of: (owner: string) => Changes): void {
    const record = this.#options.inventory.find<'ResourcePool'>(poolRef(key));
    const former = this.#pools.get(key);
    const owner = record?.owner.value;
    if (former !== undefined && former !== owner) {
      of(former).pools.removed.push(key);
      this.#pools.delete(key);
    }
    if (!record?.config || !isPool(record.parent)) return;
    this.#divide(record.owner);
    this.#pools.set(key, record.owner.value);
    const cpu = allocationOf(record.config.cpuAllocation, { of: 'poolCpu' });
    const memory = allocationOf(record.config.memoryAllocation, { of: 'poolMemory' });
    of(record.owner.value).pools.set.push({ pool: key, parent: record.parent.value, cpu, memory });
  }

  /** From its first pool on, a compute resource is divided. */
  #divide(owner: MoRef<'ComputeResource'>): void {
    if (this.#divisions.has(owner.value)) return;
    const { inventory } = this.#options;
    const rootPool = inventory.find(owner)?.resourcePool.value;
    if (rootPool === undefined) return;
    this.#divisions.set(owner.value, { division: new PoolDivision(rootPool), rootPool });
    for (const host of inventory.children(owner as MoRef)) {
      if ((host as MoRef).type !== 'HostSystem') continue;
      this.#touch('hosts', host.value);
    }
  }

  #hostDue(key: string, of: (owner: string) => Changes): void {
    const { inventory, graph } = this.#options;
    const host = moRef('HostSystem', key);
    const owner = inventory.find<'HostSystem'>(host)?.parent.value;
    const former = this.#hosts.get(key);
    if (former && former.owner !== owner) {
      of(former.owner).hosts.removed.push(key);
      this.#hosts.delete(key);
      for (const vm of former.vms) this.#due.vms.add(vm);
    }
    if (owner === undefined || (former && former.owner !== owner)) this.#leaveWork(key, owner === undefined);
    const hardware = (graph.find(host)?.getPath('summary') as HostListSummary | undefined)?.hardware;
    if (owner === undefined || !hardware || !this.#divisions.has(owner)) return;
    const capacity = {
      cpuMhz: hardware.cpuMhz * hardware.numCpuCores,
      memoryMB: Math.floor(hardware.memorySize / 2 ** 20),
    };
    of(owner).hosts.set.push({ host: key, capacity });
    if (this.#hosts.get(key)) return;
    this.#hosts.set(key, { owner, vms: new Set() });
    for (const vm of (graph.find(host)?.get('vm') ?? []) as Vm[]) this.#due.vms.add(vm.value);
  }

  /** A host that has gone, or is another compute resource's now: there the pools that it has are removed. */
  #leaveWork(key: string, isGone: boolean): void {
    const work = this.#work.get(key);
    if (!work) return;
    if (!isGone) return work.pools.moveTo(this.#rootPoolOf(key));
    this.#work.delete(key);
    work.running
      .then(() => work.pools.forget())
      .catch((error: unknown) =>
        this.#options.log.warn({ host: key, err: error }, 'pools of a host are not forgotten'),
      );
  }

  #vmDue(key: string, of: (owner: string) => Changes, hosts: Set<string>): void {
    const former = this.#vms.get(key);
    const now = this.#vmNow(key);
    if (former && now && isSame(former, now)) return;
    if (former && former.owner !== now?.owner) of(former.owner).vms.removed.push(key);
    if (former && (former.host !== now?.host || former.pool !== now.pool)) hosts.add(former.host);
    if (former) this.#hosts.get(former.host)?.vms.delete(key);
    if (!now) {
      this.#vms.delete(key);
      return;
    }
    this.#vms.set(key, now);
    this.#hosts.get(now.host)?.vms.add(key);
    of(now.owner).vms.set.push(now);
    if (former?.host !== now.host || former.pool !== now.pool || former.hostKey !== now.hostKey) hosts.add(now.host);
  }

  /** undefined: it does not run, or where nothing is divided. */
  #vmNow(key: string): KnownVm | undefined {
    const { inventory, graph } = this.#options;
    const vm = moRef('VirtualMachine', key);
    const record = inventory.find<'VirtualMachine'>(vm);
    const owner = record && this.#hosts.get(record.host.value)?.owner;
    if (!record || owner === undefined) return undefined;
    const object = graph.find(vm);
    const summary = object?.getPath('summary') as VirtualMachineSummary | undefined;
    if (summary?.runtime.powerState !== 'poweredOn') return undefined;
    const { rootPool } = this.#divisions.get(owner) ?? {};
    const pool = record.resourcePool.value;
    if (pool !== rootPool && this.#pools.get(pool) !== owner) return undefined;
    const { config, quickStats, runtime } = summary;
    const load = (resource: 'cpu' | 'memory', unit: ShareUnit, demand: number, overhead = 0): VmLoad => {
      const info = object?.getPath(`config.${resource}Allocation`) as ResourceAllocationInfo | undefined;
      const { reservation, limit, shares } = allocationOf(info, unit);
      return { reservation: reservation + overhead, limit, shares, demand };
    };
    const cpuDemand = quickStats.overallCpuDemand ?? quickStats.overallCpuUsage ?? 0;
    return {
      vm: key,
      owner,
      pool,
      host: record.host.value,
      hostKey: record.hostKey,
      cpu: load('cpu', { of: 'vmCpu', numCpu: config.numCpu ?? 1 }, cpuDemand),
      memory: load(
        'memory',
        { of: 'vmMemory', memoryMB: config.memorySizeMB ?? 0 },
        quickStats.hostMemoryUsage ?? 0,
        overheadMB(runtime),
      ),
    };
  }

  #workOf(key: string): HostWork {
    const known = this.#work.get(key);
    if (known) return known;
    const work: HostWork = {
      pools: new HostPools(this.#options.store, key, this.#rootPoolOf(key)),
      isDue: false,
      isRunning: false,
      running: Promise.resolve(),
      unable: undefined,
    };
    this.#work.set(key, work);
    return work;
  }

  #rootPoolOf(host: string): string {
    const { inventory } = this.#options;
    const owner = inventory.find<'HostSystem'>(moRef('HostSystem', host))?.parent;
    return (owner && inventory.find(owner as MoRef<'ComputeResource'>)?.resourcePool.value) ?? '';
  }

  /** Never waits: the host is brought up to date in the background, or when it is connected again. */
  #push(key: string): void {
    const known = this.#hosts.get(key);
    if (!known) return;
    const work = this.#workOf(key);
    work.isDue = true;
    if (work.isRunning) return;
    work.isRunning = true;
    work.running = this.#bringUp(key, work);
  }

  async #bringUp(key: string, work: HostWork): Promise<void> {
    const { linkOf, log } = this.#options;
    while (work.isDue && !this.#isClosed) {
      const link = linkOf(moRef('HostSystem', key));
      const wanted = this.#wanted(key);
      if (!link || !wanted || work.unable === link) break;
      work.isDue = false;
      try {
        await work.pools.push(link, wanted);
        this.#tryAgain.done(key);
      } catch (error) {
        if (isFault(error, 'NotSupported')) work.unable = link;
        else if (error instanceof HostUnreachable) this.#tryAgain.failed(key);
        else {
          log.warn({ host: key, err: error }, 'a host has not taken its part of the resource pools');
          // What it refuses it refuses again, until something changes; a store that was full may be so no more, and what somebody
          // has taken away there is made again.
          const isLost = isFault(error, 'ManagedObjectNotFound');
          if (isLost) work.pools.begin();
          if (isLost || !isFault(error, 'MethodFault')) this.#tryAgain.failed(key);
        }
      }
    }
    work.isRunning = false;
  }

  #wanted(key: string) {
    const host = this.#hosts.get(key);
    const division = host && this.#divisions.get(host.owner)?.division;
    if (!division) return undefined;
    const vms = new Map<string, string>();
    for (const vm of host.vms) {
      const known = this.#vms.get(vm);
      if (known) vms.set(known.hostKey, known.pool);
    }
    return { pools: division.treeOf(key), vms };
  }
}

function isSame(one: KnownVm, other: KnownVm): boolean {
  return (
    one.owner === other.owner &&
    one.host === other.host &&
    one.hostKey === other.hostKey &&
    one.pool === other.pool &&
    isSameLoad(one.cpu, other.cpu) &&
    isSameLoad(one.memory, other.memory)
  );
}

function isSameLoad(one: VmLoad, other: VmLoad): boolean {
  return (
    one.reservation === other.reservation &&
    one.limit === other.limit &&
    one.shares === other.shares &&
    one.demand === other.demand
  );
}
