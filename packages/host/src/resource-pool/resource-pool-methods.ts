// The methods of ResourcePool. Source: vSphere Web Services API, ResourcePool.
import { MAX_SHARES, normalPoolAllocation } from '@vivarium/drs/resource-pool';
import { type Handlers, MethodFault, type MoRef, type ResourceConfigSpec } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import type { Request, Vm } from '../vm/vm.ts';
import type { NewEvent } from '../vm/vm-host.ts';
import type { VmRegistry } from '../vm/vm-registry.ts';
import { poolCreated, poolDestroyed, poolMoved, poolReconfigured, vmMovedToPool } from './pool-events.ts';
import { resourceConfigOption } from './pool-properties.ts';
import { type PoolRecord, poolRef } from './pool-record.ts';
import type { ResourcePools } from './resource-pools.ts';
import { ROOT_POOL } from './share-tree.ts';

export interface PoolMethodsContext {
  readonly service: Service;
  readonly pools: ResourcePools;
  readonly hostName: string;
  readonly post: (event: NewEvent) => void;
  /** Late: pools are in the graph before the VMs are loaded. */
  readonly registry: () => Pick<VmRegistry, 'find' | 'refs' | 'reconfigure'>;
  readonly importVApp: (
    pool: MoRef<'ResourcePool'>,
    ...args: Parameters<NonNullable<Handlers<'ResourcePool', Call>['ImportVApp']>>
  ) => MoRef<'HttpNfcLease'>;
  /** Reads the VMs' loads again. */
  readonly refresh: () => void;
}

export function resourcePoolMethods(id: string, context: PoolMethodsContext): Handlers<'ResourcePool', Call> {
  const { service, pools } = context;
  const ref = poolRef(id);
  const post = (call: Call, event: NewEvent) => context.post({ ...event, userName: call.session.userName });
  const task = (operation: string, call: Call, work: () => Promise<void>) =>
    service.tasks.start({ entity: ref, descriptionId: `ResourcePool.${operation}`, call }, work);
  const update = async (call: Call, name: string | undefined, config: ResourceConfigSpec | undefined) => {
    await pools.update(id, name, config);
    post(call, poolReconfigured(context, pools.get(id)));
  };
  return {
    async CreateResourcePool({ name, spec }, call) {
      const made = await pools.create(id, name, spec);
      post(call, poolCreated(context, made, pools.get(id)));
      return poolRef(made.id);
    },
    UpdateConfig: ({ name, config }, call) => update(call, name, config),
    Rename_Task: ({ newName }, call) => task('rename', call, () => update(call, newName, undefined)),
    UpdateChildResourceConfiguration: ({ spec }, call) => updateChildren(id, context, spec, call, post),
    async MoveIntoResourcePool({ list }, call) {
      for (const { type, value } of list) {
        if (type === 'ResourcePool') await movePool(value, id, context, (event) => post(call, event));
        else if (type === 'VirtualMachine') await moveVm(value, id, context, (event) => post(call, event));
        else throw new MethodFault('InvalidArgument', { invalidProperty: 'list' });
      }
    },
    Destroy_Task: (_args, call) =>
      task('destroy', call, async () => {
        const pool = pools.get(id);
        await pools.destroy(id);
        post(call, poolDestroyed(context, pool));
      }),
    async DestroyChildren(_args, call) {
      const before = pools.all;
      await pools.destroyChildren(id);
      const left = new Set(pools.all.map((pool) => pool.id));
      for (const pool of before) if (!left.has(pool.id)) post(call, poolDestroyed(context, pool));
    },
    RefreshRuntime: () => context.refresh(),
    QueryResourceConfigOption: () =>
      resourceConfigOption(MAX_SHARES, { cpu: normalShares('cpu'), memory: normalShares('memory') }),
    ImportVApp: (args, call) => context.importVApp(ref, args, call),
  };
}

function normalShares(resource: 'cpu' | 'memory'): number {
  return normalPoolAllocation(resource).shares?.shares ?? 0;
}

async function movePool(
  id: string,
  target: string,
  context: PoolMethodsContext,
  post: (event: NewEvent) => void,
): Promise<void> {
  const { pools } = context;
  const { parent = ROOT_POOL } = pools.get(id);
  await pools.move(id, target);
  if (parent !== target) post(poolMoved(context, pools.get(id), pools.get(parent), pools.get(target)));
}

async function moveVm(
  id: string,
  target: string,
  context: PoolMethodsContext,
  post: (event: NewEvent) => void,
): Promise<void> {
  const { pools, registry } = context;
  if (!registry().refs.some(({ value }) => value === id)) {
    throw new MethodFault('ManagedObjectNotFound', { obj: { type: 'VirtualMachine', value: id } });
  }
  const former: PoolRecord = pools.get(pools.poolOf(id));
  await pools.moveVm(id, target);
  if (former.id === target) return;
  post(vmMovedToPool(context, { id, name: registry().find(id)?.name ?? id }, former, pools.get(target)));
}

/** In the order of the list; pools that follow one another in it in one write. */
async function updateChildren(
  id: string,
  context: PoolMethodsContext,
  list: readonly ResourceConfigSpec[],
  call: Call,
  post: (call: Call, event: NewEvent) => void,
): Promise<void> {
  const { pools, registry } = context;
  const request: Request = { userName: call.session.userName, progress: () => undefined };
  let together: { readonly id: string; readonly spec: ResourceConfigSpec }[] = [];
  const flush = async () => {
    const next = together;
    together = [];
    if (next.length === 0) return;
    const versions = new Map(next.map(({ id: child }) => [child, versionOf(pools, child)]));
    try {
      await pools.updateChildren(id, next);
    } finally {
      for (const [child, version] of versions) {
        if (versionOf(pools, child) !== version) post(call, poolReconfigured(context, pools.get(child)));
      }
    }
  };
  for (const spec of list) {
    const { entity } = spec;
    if (entity?.type === 'ResourcePool') {
      together.push({ id: entity.value, spec });
      continue;
    }
    await flush();
    const vm = childVm(id, context, entity);
    const { cpuAllocation, memoryAllocation, changeVersion } = spec;
    const version = changeVersion === undefined ? {} : { changeVersion };
    await registry().reconfigure(request, vm, { cpuAllocation, memoryAllocation, ...version });
  }
  await flush();
}

function versionOf(pools: ResourcePools, id: string): string | undefined {
  return pools.all.find((pool) => pool.id === id)?.changeVersion;
}

function childVm(id: string, { pools, registry }: PoolMethodsContext, entity: MoRef | undefined): Vm {
  if (entity?.type !== 'VirtualMachine' || pools.poolOf(entity.value) !== id) {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.entity' });
  }
  const vm = registry().find(entity.value);
  // Its VMX cannot be read.
  if (!vm) throw new MethodFault('InvalidState', {});
  return vm;
}
