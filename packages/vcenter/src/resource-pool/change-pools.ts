// Changes of the pools of a compute resource, checked against what is unreserved, and put into the inventory.
// Source: vSphere Web Services API, ResourcePool.
import {
  changedPoolAllocation,
  findNewPoolFault,
  findPoolChangeFault,
  findPoolMoveFault,
  findVmMoveFault,
  newPoolAllocation,
} from '@vivarium/drs/resource-pool';
import { MethodFault, type MoRef, make, type ResourceConfigSpec } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { checkName } from '../inventory/entity-name.ts';
import type { EntityRecord, EntityRef, EntityType } from '../inventory/entity-records.ts';
import { firstFree, type InventoryOp } from '../inventory/inventory.ts';
import { movedToPool, poolDestroyed } from '../inventory/inventory-events.ts';
import { appAround, folderOfApp } from '../virtual-app/app-around.ts';
import { settingsOf } from './compute-pools.ts';
import { isApp, isPool } from './pool-ref.ts';
import { reservationOf } from './vm-reservation.ts';

type Pool = MoRef<'ResourcePool'>;

/** vSphere 8's maximum. */
const MAX_DEPTH = 8;

export function createPool(center: Center, parent: Pool, name: string, spec: ResourceConfigSpec): Promise<Pool> {
  const { inventory, pools } = center;
  return inventory.exclusively(async () => {
    const checked = checkName(name);
    inventory.requireFreeName(parent, checked);
    requireDepth(center, parent);
    const ref = inventory.newRef('ResourcePool');
    const config = stamped(center, ref, {
      cpuAllocation: newPoolAllocation('cpu', spec.cpuAllocation),
      memoryAllocation: newPoolAllocation('memory', spec.memoryAllocation),
    });
    refuse(findNewPoolFault(pools.treeOf(parent), parent.value, settingsOf(config)));
    const { owner } = inventory.get<'ResourcePool'>(parent);
    await inventory.apply([{ put: ref, record: { name: checked, parent: parent as MoRef, owner, config } }]);
    return ref;
  });
}

/** Faults: InvalidName, DuplicateName, NotSupported for a root pool, ConcurrentAccess, InsufficientResourcesFault. */
export function updatePool(
  center: Center,
  pool: Pool,
  name: string | undefined,
  spec: ResourceConfigSpec | undefined,
): Promise<void> {
  const { inventory, pools } = center;
  return inventory.exclusively(async () => {
    const record = ownPool(center, pool);
    const newName = name === undefined ? record.name : checkName(name);
    inventory.requireFreeName(record.parent, newName, pool as MoRef);
    if (record.folder) inventory.requireFreeName(record.folder, newName, pool as MoRef);
    const known = record.config;
    if (spec?.changeVersion !== undefined && spec.changeVersion !== known.changeVersion) {
      throw new MethodFault('ConcurrentAccess');
    }
    const config = spec
      ? stamped(center, pool, {
          cpuAllocation: changedPoolAllocation('cpu', known.cpuAllocation, spec.cpuAllocation),
          memoryAllocation: changedPoolAllocation('memory', known.memoryAllocation, spec.memoryAllocation),
        })
      : known;
    if (spec) refuse(findPoolChangeFault(pools.treeOf(pool), pool.value, settingsOf(config)));
    await inventory.apply([{ put: pool, record: { ...record, name: newName, config } }]);
  });
}

/** VMs and pools of the same compute resource come into `target`. Faults: InvalidArgument, DuplicateName, InsufficientResourcesFault. */
export function moveIntoPool(center: Center, target: Pool, list: readonly MoRef[], call: Call): Promise<void> {
  const { inventory, pools } = center;
  return inventory.exclusively(async () => {
    const { owner } = inventory.get<'ResourcePool'>(target);
    const tree = pools.treeOf(target);
    for (const ref of list) {
      if (ref.type === 'VirtualMachine') {
        const vm = ref as unknown as MoRef<'VirtualMachine'>;
        const record = inventory.get<'VirtualMachine'>(vm);
        requireSameOwner(center, owner, record.resourcePool);
        refuse(findVmMoveFault(tree, record.resourcePool.value, target.value, runningReservation(center, vm)));
        const parent = parentOfVm(center, record.parent, target);
        inventory.requireFreeName(parent, record.name, vm as MoRef);
        await inventory.apply([{ put: vm, record: { ...record, parent, resourcePool: target } }]);
        movedToPool(center, vm, record.resourcePool, target, call);
      } else if (isPool(ref)) {
        const pool = ref as unknown as Pool;
        const record = ownPool(center, pool);
        requireSameOwner(center, owner, pool);
        inventory.requireFreeName(target, record.name, pool as MoRef);
        refuse(findPoolMoveFault(tree, pool.value, target.value));
        requireDepth(center, target, heightOf(center, pool));
        const folder = folderOfMoved(center, pool, target);
        if (folder) inventory.requireFreeName(folder, record.name, pool as MoRef);
        const moved = { ...record, parent: target as MoRef, folder };
        await inventory.apply([{ put: pool, record: moved }, ...carryVms(center, pool, target)] as InventoryOp[]);
        movedToPool(center, pool, record.parent as unknown as Pool, target, call);
      } else throw new MethodFault('InvalidArgument', { invalidProperty: 'list' });
    }
  });
}

/** Its pools and VMs go to the pool around it. Fault: NotSupported for a root pool. */
export function destroyPool(center: Center, pool: Pool, call: Call): Promise<void> {
  const { inventory, lists } = center;
  return inventory.exclusively(async () => {
    const { parent } = ownPool(center, pool);
    const around = parent as unknown as Pool;
    const vms = lists.members(pool, 'vm') as MoRef[] as MoRef<'VirtualMachine'>[];
    // The pool's own name becomes free.
    const others = inventory.children(parent).filter(({ value }) => value !== pool.value);
    const taken = new Set(others.map((ref) => inventory.get(ref as MoRef<EntityType>).name));
    const ops: InventoryOp[] = [
      ...vms.map((put): InventoryOp => {
        return { put, record: { ...inventory.get<'VirtualMachine'>(put), resourcePool: around } };
      }),
      ...poolsIn(center, pool).map((child): InventoryOp => {
        const record = inventory.get<'ResourcePool'>(child);
        const name = firstFree(record.name, (one) => taken.has(one));
        taken.add(name);
        const folder = folderOfMoved(center, child, around);
        return { put: child, record: { ...record, name, parent, folder } } as InventoryOp;
      }),
      { remove: pool as EntityRef },
    ];
    const tell = poolDestroyed(center, pool, call);
    await inventory.applySteps(ops.map((op) => ({ ops: [op] })));
    tell();
  });
}

export async function destroyChildren(center: Center, pool: Pool, call: Call): Promise<void> {
  for (const child of poolsIn(center, pool)) {
    if (isApp(child)) continue;
    await destroyChildren(center, child, call);
    await destroyPool(center, child, call);
  }
}

/** A pool that is not a root pool. */
function ownPool(
  { inventory }: Center,
  pool: Pool,
): EntityRecord<'ResourcePool'> & { readonly config: ResourceConfigSpec; readonly folder?: MoRef<'Folder'> } {
  const record = inventory.get<'ResourcePool'>(pool);
  const { config } = record;
  if (!config) throw new MethodFault('NotSupported', {}, 'a root resource pool has what its hosts have');
  return { ...record, config };
}

function poolsIn({ inventory }: Center, pool: Pool): Pool[] {
  return inventory.children(pool as MoRef).filter((ref) => isPool(ref as MoRef)) as Pool[];
}

/** A VM lies in the vApp around its pool, or in a folder. */
function parentOfVm({ inventory }: Center, parent: MoRef, target: Pool): MoRef {
  const app = appAround(inventory, target);
  if (app) return app as MoRef;
  return isApp(parent) ? (folderOfApp(inventory, parent) as MoRef) : parent;
}

/** A vApp in another one is in no folder; one that comes out of it is in that one's. */
function folderOfMoved({ inventory }: Center, pool: Pool, target: Pool): MoRef<'Folder'> | undefined {
  if (!isApp(pool) || isApp(target)) return undefined;
  return inventory.get<'VirtualApp'>(pool).folder ?? folderOfApp(inventory, pool);
}

/** VMs of a plain pool that moves come into the vApp around the new place, or leave that around the old one. */
function carryVms(center: Center, pool: Pool, target: Pool): InventoryOp[] {
  const { inventory } = center;
  const from = appAround(inventory, pool);
  if (isApp(pool) || from?.value === appAround(inventory, target)?.value) return [];
  return Array.from(inventory.ofType('VirtualMachine')).flatMap(([put, record]): InventoryOp[] => {
    const isCarried = isBelow(center, record.resourcePool, pool) && isApp(record.parent) === (from !== undefined);
    if (!isCarried || (from && record.parent.value !== from.value)) return [];
    const parent = parentOfVm(center, record.parent, target);
    inventory.requireFreeName(parent, record.name, put as MoRef);
    return [{ put, record: { ...record, parent } }];
  });
}

function isBelow({ inventory }: Center, pool: MoRef, above: Pool): boolean {
  for (let at: MoRef | undefined = pool; isPool(at); at = inventory.parentOf(at)) {
    if (at.value === above.value) return true;
  }
  return false;
}

function requireSameOwner({ inventory }: Center, owner: MoRef, pool: Pool): void {
  if (inventory.get<'ResourcePool'>(pool).owner.value !== owner.value) {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'list' }, 'it belongs to another compute resource');
  }
}

function runningReservation({ service }: Center, vm: MoRef<'VirtualMachine'>) {
  const summary = service.graph.find(vm)?.get('summary');
  return reservationOf(summary?.runtime.powerState === 'poweredOn' ? summary : undefined);
}

export function stamped(
  { clock }: Center,
  entity: Pool,
  allocations: Pick<ResourceConfigSpec, 'cpuAllocation' | 'memoryAllocation'>,
): ResourceConfigSpec {
  const now = new Date(clock.now()).toISOString();
  return make('ResourceConfigSpec', {
    entity: entity as MoRef<'ManagedEntity'>,
    changeVersion: now,
    lastModified: now,
    ...allocations,
  });
}

/** `height`: of the pools that come below `parent`. Fault: InvalidResourcePoolStructureFault, when the lowest would be too deep. */
export function requireDepth(center: Center, parent: Pool, height = 1): void {
  if (depthOf(center, parent) + height <= MAX_DEPTH) return;
  throw new MethodFault('InvalidResourcePoolStructureFault', {}, `resource pools are at most ${MAX_DEPTH} deep`);
}

function depthOf({ inventory }: Center, pool: Pool): number {
  const { parent } = inventory.get<'ResourcePool'>(pool);
  return isPool(parent) ? 1 + depthOf({ inventory } as Center, parent) : 0;
}

/** 1 for a pool without pools. */
function heightOf(center: Center, pool: Pool): number {
  return 1 + Math.max(0, ...poolsIn(center, pool).map((child) => heightOf(center, child)));
}

function refuse(fault: MethodFault | undefined): void {
  if (fault) throw fault;
}
