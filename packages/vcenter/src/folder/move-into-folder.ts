// Folder.MoveIntoFolder_Task. Source: vSphere Web Services API: what may lie in the folder moves; VMs stay in their
// datacenter; a standalone host moves with its compute resource.
import { MethodFault, type MoRef, schema } from '@vivarium/vim';
import type { Center } from '../center.ts';
import type { EntityRef, EntityType } from '../inventory/entity-records.ts';
import type { Inventory, InventoryOp } from '../inventory/inventory.ts';
import { isApp } from '../resource-pool/pool-ref.ts';
import { POD_CHILD_TYPES } from './create-entity.ts';

/** Faults: NotSupported, DuplicateName, InvalidFolder. */
export function moveIntoFolder(
  { inventory }: Center,
  folder: MoRef<'Folder' | 'StoragePod'>,
  list: readonly MoRef[],
): Promise<void> {
  return inventory.exclusively(async () => {
    const ops = list.map((entity) => planMove(inventory, folder, entity as EntityRef));
    const names = new Set<string>();
    for (const op of ops) {
      if (!('put' in op)) continue;
      if (names.has(op.record.name))
        throw new MethodFault('DuplicateName', { name: op.record.name, object: folder as MoRef });
      names.add(op.record.name);
    }
    await inventory.apply(ops);
  });
}

function planMove(inventory: Inventory, folder: MoRef<'Folder' | 'StoragePod'>, entity: EntityRef): InventoryOp {
  const childType = isPod(folder) ? POD_CHILD_TYPES : inventory.get(folder as MoRef<'Folder'>).childType;
  const moved =
    entity.type === 'HostSystem' ? (inventory.get(entity as MoRef<'HostSystem'>).parent as EntityRef) : entity;
  const record = inventory.get(moved as MoRef<EntityType>);
  const isFixed = 'isFixed' in record && record.isFixed;
  if (isFixed || !mayHold(childType, moved.type) || isOtherKind(inventory, childType, moved)) {
    throw new MethodFault('NotSupported', {}, `${moved.type} ${moved.value} cannot lie in this folder`);
  }
  if (isWithin(inventory, folder, moved)) throw new MethodFault('InvalidFolder', { target: folder as MoRef<'Folder'> });
  const here = inventory.above(folder, 'Datacenter');
  if (moved.type !== 'Datacenter' && here?.value !== inventory.above(moved, 'Datacenter')?.value) {
    throw new MethodFault('NotSupported', {}, 'entities do not move between datacenters');
  }
  inventory.requireFreeName(folder, record.name, moved);
  if (isApp(moved as MoRef)) return { put: moved, record: { ...record, folder } } as InventoryOp;
  if (isApp(record.parent)) {
    throw new MethodFault('NotSupported', {}, 'a VM leaves its vApp by coming into a resource pool');
  }
  return { put: moved, record: { ...record, parent: folder } } as InventoryOp;
}

/** A folder holds folders of its own kind only. */
function isOtherKind(inventory: Inventory, childType: readonly string[], moved: EntityRef): boolean {
  if (moved.type !== 'Folder') return false;
  const own = inventory.get(moved as MoRef<'Folder'>).childType;
  return own.length !== childType.length || own.some((type) => !childType.includes(type));
}

function isWithin(inventory: Inventory, folder: MoRef<'Folder' | 'StoragePod'>, moved: EntityRef): boolean {
  for (let at: MoRef | undefined = folder as MoRef; at; at = inventory.parentOf(at)) {
    if (at.type === moved.type && at.value === moved.value) return true;
  }
  return false;
}

function isPod({ type }: { readonly type: string }): boolean {
  return type === 'StoragePod';
}

/** Whether entities of `type` may lie in a folder with this childType. */
function mayHold(childType: readonly string[], type: string): boolean {
  return childType.some((allowed) => schema.isSubtype(type, allowed));
}
