// ManagedEntity.Rename_Task of what vCenter alone knows: folders, datacenters, clusters, pools.
import { MethodFault, type MoRef } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { checkName } from '../inventory/entity-name.ts';
import type { EntityRef, EntityType } from '../inventory/entity-records.ts';
import type { InventoryOp } from '../inventory/inventory.ts';
import { renamedEvent } from '../inventory/inventory-events.ts';

/** Faults: InvalidName, DuplicateName, NotSupported for a datacenter's own folders. */
export function renameEntity(center: Center, entity: EntityRef, newName: string, call: Call): Promise<void> {
  const { inventory } = center;
  return inventory.exclusively(async () => {
    const name = checkName(newName);
    const record = inventory.get(entity as MoRef<EntityType>);
    if ('isFixed' in record && record.isFixed)
      throw new MethodFault('NotSupported', {}, 'this folder has a fixed name');
    inventory.requireFreeName(record.parent, name, entity);
    await inventory.apply([{ put: entity, record: { ...record, name } } as InventoryOp]);
    renamedEvent(center, entity, record.name, call);
  });
}
