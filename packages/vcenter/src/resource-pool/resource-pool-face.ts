// The ResourcePool object: a compute resource's root pool, and the pools below it.
// Source: vSphere Web Services API, ResourcePool.
import { noLoad, poolFigures } from '@vivarium/drs/resource-pool';
import { type Handlers, type MoRef, make, type Properties, type ResourceConfigSpec } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import { poolCreated, poolReconfigured } from '../inventory/inventory-events.ts';
import type { EntityFace } from '../publish/publisher.ts';
import { createApp } from '../virtual-app/change-app.ts';
import { createPool, destroyChildren, destroyPool, moveIntoPool, updatePool } from './change-pools.ts';
import { isPool } from './pool-ref.ts';

export function resourcePoolFace(center: Center): EntityFace<'ResourcePool'> {
  return {
    handlers: (ref) => poolMethods(center, ref),
    properties: (ref, record) => unusedPool(ref, record),
    changes: (_ref, { config }, before) => (config && config !== before.config ? { config } : {}),
    // A compute resource names its root pool itself.
    listings: ({ parent }) => (isPool(parent) ? [{ owner: parent, property: 'resourcePool' }] : []),
  };
}

/** A pool in which nothing runs yet. */
export function unusedPool(
  ref: MoRef<'ResourcePool'>,
  { owner, config, name }: EntityRecord<'ResourcePool'>,
): Properties<'ResourcePool'> {
  const shown = config ?? rootConfig(ref, 0, 0);
  const usage = make('ResourcePoolResourceUsage', {
    reservationUsed: 0,
    reservationUsedForVm: 0,
    unreservedForPool: 0,
    unreservedForVm: 0,
    overallUsage: 0,
    maxUsage: 0,
  });
  const runtime = make('ResourcePoolRuntimeInfo', { memory: usage, cpu: usage, overallStatus: 'green' });
  return {
    owner,
    config: shown,
    runtime,
    summary: make('ResourcePoolSummary', { name, config: shown, runtime, ...poolFigures(noLoad) }),
    resourcePool: [],
    vm: [],
  };
}

export function poolMethods(center: Center, pool: MoRef<'ResourcePool'>): Handlers<'ResourcePool', Call> {
  const { service } = center;
  const task = (method: string, call: Call, work: () => Promise<void>) =>
    service.tasks.start({ entity: pool, descriptionId: `ResourcePool.${method}`, call }, work);
  const update = async (name: string | undefined, config: ResourceConfigSpec | undefined, call: Call) => {
    await updatePool(center, pool, name, config);
    poolReconfigured(center, pool, call);
  };
  return {
    async CreateResourcePool({ name, spec }, call) {
      const made = await createPool(center, pool, name, spec);
      poolCreated(center, made, call);
      return made;
    },
    UpdateConfig: ({ name, config }, call) => update(name, config, call),
    Rename_Task: ({ newName }, call) => task('rename', call, () => update(newName, undefined, call)),
    ImportVApp: (args, call) => center.imports.importVApp(center, pool, args, call),
    CreateVApp: (args) => createApp(center, pool, args),
    MoveIntoResourcePool: ({ list }, call) => moveIntoPool(center, pool, list as MoRef[], call),
    Destroy_Task: (_args, call) => task('destroy', call, () => destroyPool(center, pool, call)),
    DestroyChildren: (_args, call) => destroyChildren(center, pool, call),
    RefreshRuntime: () => undefined,
  };
}

/** All that is there, reserved: what a root pool shows. */
export function rootConfig(entity: MoRef<'ResourcePool'>, cpuMhz: number, memoryMB: number): ResourceConfigSpec {
  const allocation = (all: number) =>
    make('ResourceAllocationInfo', {
      reservation: all,
      expandableReservation: false,
      limit: all,
      shares: make('SharesInfo', { shares: 4000, level: 'normal' }),
    });
  return make('ResourceConfigSpec', {
    entity,
    cpuAllocation: allocation(cpuMhz),
    memoryAllocation: allocation(memoryMB),
  });
}
