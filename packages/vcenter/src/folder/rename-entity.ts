// ManagedEntity.Rename_Task of what vCenter alone knows: folders, datacenters, clusters, pools.
import { MethodFault, type MoRef } from '@vivarium/vim';
import { checkName } from '../inventory/entity-name.ts';
import type { EntityRef, EntityType } from '../inventory/entity-records.ts';
import type { Inventory, InventoryOp } from '../inventory/inventory.ts';

/** Faults: InvalidName, DuplicateName, NotSupported for a datacenter's own folders. */
export function renameEntity(inventory: Inventory, entity: EntityRef, newName: string): Promise<void> {
  return inventory.exclusively(async () => {
    const name = checkName(newName);
    const record = inventory.get(entity as MoRef<EntityType>);
    if ('isFixed' in record && record.isFixed)
      throw new MethodFault('NotSupported', {}, 'this folder has a fixed name');
    inventory.requireFreeName(record.parent, name, entity);
    await inventory.apply([{ put: entity, record: { ...record, name } } as InventoryOp]);
  });
}
