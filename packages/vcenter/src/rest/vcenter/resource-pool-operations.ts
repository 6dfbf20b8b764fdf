// com.vmware.vcenter.resource_pool.
import {
  type ManagedTypeName,
  type MoRef,
  make,
  moRef,
  type ResourceAllocationInfo,
  type ResourceConfigSpec,
} from '@vivarium/vim';
import { type Operation, operation } from '../operation.ts';
import { flag, id, integer, oneOf, optional, setOf, struct, type TypeOf, text } from '../shape.ts';
import type { InventoryReader } from './inventory-reader.ts';
import { listOperation } from './list-operation.ts';
import { runMethod, runTask } from './run-method.ts';

const service = 'com.vmware.vcenter.resource_pool';
const PATH = '/vcenter/resource-pool';
const ONE = `${PATH}/{resource_pool}`;
const poolId = id('ResourcePool');
const POOLS = ['ResourcePool', 'VirtualApp'] as const satisfies readonly ManagedTypeName[];

const sharesInfo = struct(`${service}.shares_info`, {
  level: oneOf(`${service}.shares_info.level`, ['LOW', 'NORMAL', 'HIGH', 'CUSTOM']),
  shares: optional(integer),
});
const allocationInfo = struct(`${service}.resource_allocation_info`, {
  reservation: integer,
  expandable_reservation: flag,
  limit: integer,
  shares: sharesInfo,
});
const allocationFields = {
  reservation: optional(integer),
  expandable_reservation: optional(flag),
  limit: optional(integer),
  shares: optional(sharesInfo),
};
const createSpec = struct(`${service}.create_spec`, {
  name: text,
  parent: poolId,
  cpu_allocation: optional(struct(`${service}.resource_allocation_create_spec`, allocationFields)),
  memory_allocation: optional(struct(`${service}.resource_allocation_create_spec`, allocationFields)),
});
const updateSpec = struct(`${service}.update_spec`, {
  name: optional(text),
  cpu_allocation: optional(struct(`${service}.resource_allocation_update_spec`, allocationFields)),
  memory_allocation: optional(struct(`${service}.resource_allocation_update_spec`, allocationFields)),
});

type Allocation = NonNullable<TypeOf<typeof createSpec>['cpu_allocation']>;

/** What vCenter takes for a field that is not given when a pool is made. */
const NEW_ALLOCATION = {
  reservation: 0,
  expandable_reservation: true,
  limit: -1,
  shares: { level: 'NORMAL' },
} as const;

export function resourcePoolOperations(reader: InventoryReader): Operation[] {
  const owner = (pool: Parameters<InventoryReader['above']>[0]) => pool.getPath('owner') as MoRef | undefined;
  return [
    listOperation(reader, {
      service,
      path: PATH,
      plural: 'resource pools',
      types: POOLS,
      filter: {
        resource_pools: setOf(poolId),
        names: setOf(text),
        parent_resource_pools: setOf(poolId),
        datacenters: setOf(id('Datacenter')),
        hosts: setOf(id('HostSystem')),
        clusters: setOf(id('ClusterComputeResource')),
      },
      keys: {
        resource_pools: ({ ref }) => ref.value,
        names: (object) => object.getPath('name') as string,
        parent_resource_pools: (object) => object.parent?.value,
        datacenters: (object) => reader.above(object, 'Datacenter')?.value,
        // Those of a standalone host: its compute resource has that host alone.
        hosts: (object) => {
          const compute = reader.objectOf(owner(object));
          const hosts = (compute?.getPath('host') ?? []) as readonly MoRef[];
          return compute?.ref.type === 'ComputeResource' ? hosts[0]?.value : undefined;
        },
        clusters: (object) => owner(object)?.value,
      },
      idField: 'resource_pools',
      summary: struct(`${service}.summary`, { resource_pool: poolId, name: text }),
      most: 1000,
      summarize: (object) => ({ resource_pool: object.ref.value, name: object.getPath('name') as string }),
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells about a resource pool.',
      params: { resource_pool: poolId },
      result: struct(`${service}.info`, {
        name: text,
        resource_pools: setOf(poolId),
        cpu_allocation: optional(allocationInfo),
        memory_allocation: optional(allocationInfo),
      }),
      errors: ['not_found', 'service_unavailable', 'unauthorized'],
      doors: { rest: { method: 'GET', path: ONE }, api: { method: 'GET', path: ONE } },
      run({ resource_pool }, { call }) {
        const object = reader.get(POOLS, resource_pool, call);
        const config = object.getPath('config') as ResourceConfigSpec | undefined;
        const children = (object.getPath('resourcePool') ?? []) as readonly MoRef[];
        return {
          name: object.getPath('name') as string,
          resource_pools: children.map(({ value }) => value),
          cpu_allocation: config && shownAllocation(config.cpuAllocation),
          memory_allocation: config && shownAllocation(config.memoryAllocation),
        };
      },
    }),
    operation({
      service,
      name: 'create',
      summary: 'Creates a resource pool below another.',
      params: { spec: createSpec },
      result: poolId,
      errors: ['already_exists', 'invalid_argument', 'not_found', 'unable_to_allocate_resource', 'unauthorized'],
      doors: { rest: { method: 'POST', path: PATH }, api: { method: 'POST', path: PATH, body: 'spec' } },
      creates: true,
      async run({ spec }, { call }) {
        const config = make('ResourceConfigSpec', {
          cpuAllocation: allocation({ ...NEW_ALLOCATION, ...spec.cpu_allocation }),
          memoryAllocation: allocation({ ...NEW_ALLOCATION, ...spec.memory_allocation }),
        });
        const parent = moRef('ResourcePool', spec.parent) as MoRef;
        const made = await runMethod<MoRef>(call, parent, 'CreateResourcePool', { name: spec.name, spec: config });
        return made.value;
      },
    }),
    operation({
      service,
      name: 'update',
      summary: 'Changes name and resources of a pool; what is not given stays.',
      params: { resource_pool: poolId, spec: updateSpec },
      errors: ['invalid_argument', 'not_found', 'unable_to_allocate_resource', 'unauthorized'],
      doors: { rest: { method: 'PATCH', path: ONE }, api: { method: 'PATCH', path: ONE, body: 'spec' } },
      async run({ resource_pool, spec }, { call }) {
        const { ref } = reader.get(POOLS, resource_pool, call);
        const config = make('ResourceConfigSpec', {
          cpuAllocation: allocation(spec.cpu_allocation ?? {}),
          memoryAllocation: allocation(spec.memory_allocation ?? {}),
        });
        await runMethod(call, ref, 'UpdateConfig', { name: spec.name, config });
      },
    }),
    operation({
      service,
      name: 'delete',
      summary: 'Deletes a resource pool; what is in it goes to its parent.',
      params: { resource_pool: poolId },
      errors: ['error', 'not_found', 'unsupported', 'unauthorized'],
      doors: { rest: { method: 'DELETE', path: ONE }, api: { method: 'DELETE', path: ONE } },
      async run({ resource_pool }, { call }) {
        await runTask(call, reader.get(POOLS, resource_pool, call).ref, 'Destroy_Task');
      },
    }),
  ];
}

function shownAllocation({
  reservation = 0,
  expandableReservation = false,
  limit = -1,
  shares,
}: ResourceAllocationInfo) {
  const level = (shares?.level ?? 'normal').toUpperCase() as 'LOW' | 'NORMAL' | 'HIGH' | 'CUSTOM';
  // The number says something only where the level does not.
  const number = level === 'CUSTOM' ? shares?.shares : undefined;
  return {
    reservation,
    expandable_reservation: expandableReservation,
    limit,
    shares: { level, ...(number === undefined ? {} : { shares: number }) },
  };
}

function allocation({ reservation, expandable_reservation, limit, shares }: Allocation): ResourceAllocationInfo {
  return make('ResourceAllocationInfo', {
    reservation,
    expandableReservation: expandable_reservation,
    limit,
    shares: shares && make('SharesInfo', { level: shares.level.toLowerCase() as 'custom', shares: shares.shares ?? 0 }),
  });
}
