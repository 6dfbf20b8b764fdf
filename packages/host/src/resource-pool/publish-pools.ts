// The ResourcePool managed objects of a host: keeps their properties, and which VM shows which pool, true.
import { noLoad, type PoolLoad, sumLoads } from '@vivarium/drs/resource-pool';
import { type MoRef, make, moRef, type ResourceConfigSpec } from '@vivarium/vim';
import type { ManagedObject } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { Vm } from '../vm/vm.ts';
import { poolConfig, poolRuntime, poolSummary } from './pool-properties.ts';
import { type PoolRecord, poolRef } from './pool-record.ts';
import { type PoolMethodsContext, resourcePoolMethods } from './resource-pool-methods.ts';
import { ROOT_POOL } from './share-tree.ts';

export interface PublishPoolsOptions extends Omit<PoolMethodsContext, 'refresh'> {
  /** Those that can be read. */
  readonly vms: () => readonly Vm[];
}

export interface PublishedPools {
  /** Which VMs the host has now, in the order in which it lists them. */
  list(vms: readonly MoRef<'VirtualMachine'>[]): void;
  /** A VM's allocations may have changed. */
  vmChanged(vm: Vm): void;
  /** Reads the VMs' loads again. */
  refresh(): void;
}

const status = { overallStatus: 'green', configStatus: 'green' } as const;

export function publishPools(options: PublishPoolsOptions): PublishedPools {
  const { service, pools } = options;
  const { graph } = service;
  const objects = new Map<string, ManagedObject<'ResourcePool'>>();
  const allocations = new WeakMap<Vm, string>();
  const shown = new Map<string, string>();
  let loads: ReadonlyMap<string, PoolLoad> = new Map();
  let listed: readonly MoRef<'VirtualMachine'>[] = [];

  const digest = (pool: PoolRecord) => {
    const load = loads.get(pool.id) ?? noLoad;
    const runtime = poolRuntime(pools.tree, pool.id, load);
    return { runtime, overallStatus: runtime.overallStatus, summary: poolSummary(pool, runtime, load) };
  };
  const childrenOf = (id: string) => pools.all.filter(({ parent }) => parent === id).map((pool) => poolRef(pool.id));
  const touchChildren = (id: string | undefined) => {
    if (id !== undefined) objects.get(id)?.touch('childConfiguration');
  };
  const showChildren = (id: string | undefined) => {
    if (id === undefined) return;
    objects.get(id)?.set('resourcePool', childrenOf(id));
    touchChildren(id);
  };
  const showVms = () => {
    const inside = new Map<string, MoRef<'VirtualMachine'>[]>();
    for (const vm of listed) {
      const pool = pools.poolOf(vm.value);
      const others = inside.get(pool);
      if (others) others.push(vm);
      else inside.set(pool, [vm]);
    }
    for (const [id, object] of objects) object.set('vm', inside.get(id) ?? []);
  };
  // Most pools have nothing to do with what has changed.
  const showUsage = () => {
    for (const pool of pools.all) {
      const now = JSON.stringify([pools.tree.usage(pool.id), loads.get(pool.id)]);
      if (shown.get(pool.id) === now) continue;
      shown.set(pool.id, now);
      objects.get(pool.id)?.update(digest(pool));
    }
  };
  const refresh = () => {
    loads = sumLoads(
      options.vms().map((vm) => ({ pool: pools.poolOf(vm.id), load: loadOf(vm) })),
      (id) => pools.get(id).parent,
    );
    showUsage();
  };
  const childConfiguration = (id: string): ResourceConfigSpec[] => [
    ...pools.all.filter(({ parent }) => parent === id).map(poolConfig),
    ...options.vms().flatMap((vm) => (pools.poolOf(vm.id) === id ? vmConfig(vm) : [])),
  ];
  const add = (pool: PoolRecord) => {
    const { id, name, parent } = pool;
    const object = graph.add(
      poolRef(id),
      {
        ...status,
        name,
        parent: parent === undefined ? refs.computeResource : poolRef(parent),
        owner: refs.computeResource,
        resourcePool: childrenOf(id),
        vm: [],
        config: poolConfig(pool),
        ...digest(pool),
      },
      resourcePoolMethods(id, { ...options, refresh }),
      { computed: { childConfiguration: () => childConfiguration(id) } },
    );
    objects.set(id, object);
  };
  for (const pool of pools.all) add(pool);

  pools.listen({
    added(pool) {
      add(pool);
      showChildren(pool.parent);
    },
    changed(pool, before) {
      const { id, name, parent = ROOT_POOL } = pool;
      objects.get(id)?.update({ name, parent: poolRef(parent), config: poolConfig(pool), ...digest(pool) });
      if (parent === before.parent) return touchChildren(parent);
      showChildren(before.parent);
      showChildren(parent);
    },
    removed({ id, parent }) {
      objects.delete(id);
      shown.delete(id);
      graph.remove(poolRef(id));
      showChildren(parent);
    },
    moved(vm, pool, former) {
      graph.find(moRef('VirtualMachine', vm))?.set('resourcePool', poolRef(pool));
      showVms();
      touchChildren(former);
      touchChildren(pool);
    },
    usageChanged: showUsage,
  });
  return {
    list(vms) {
      listed = vms;
      showVms();
    },
    vmChanged(vm) {
      const now = JSON.stringify([vm.config.cpuAllocation, vm.config.memoryAllocation]);
      if (allocations.get(vm) === now) return;
      allocations.set(vm, now);
      touchChildren(pools.poolOf(vm.id));
    },
    refresh,
  };
}

function loadOf(vm: Vm): PoolLoad {
  const { stats, overheadMB, power } = vm.view();
  return {
    cpuMhz: stats?.cpuUsageMhz ?? 0,
    cpuDemandMhz: stats?.cpuDemandMhz ?? 0,
    memoryMB: stats?.hostMemoryMB ?? 0,
    activeMB: stats?.activeMB ?? 0,
    privateMB: stats ? Math.max(0, stats.grantedMB - stats.sharedMB) : 0,
    sharedMB: stats?.sharedMB ?? 0,
    swappedMB: stats?.swappedMB ?? 0,
    balloonedMB: stats?.balloonedMB ?? 0,
    overheadMB: power === 'poweredOn' ? overheadMB : 0,
    configuredMB: vm.config.hardware.memoryMB,
  };
}

function vmConfig(vm: Vm): ResourceConfigSpec[] {
  const { cpuAllocation, memoryAllocation, changeVersion, modified } = vm.config;
  if (!cpuAllocation || !memoryAllocation) return [];
  const lastModified = modified;
  return [make('ResourceConfigSpec', { entity: vm.ref, changeVersion, lastModified, cpuAllocation, memoryAllocation })];
}
