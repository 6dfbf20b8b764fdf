// What comes into a vApp gets an entry in its start order, what leaves it loses it, in the same change. Pure.
import type { ManagedObjectReference, MoRef } from '@vivarium/vim';
import { type Amendment, amendRecords } from '../inventory/amend-records.ts';
import type { EntityRecord, EntityRef } from '../inventory/entity-records.ts';
import type { Inventory, InventoryOp } from '../inventory/inventory.ts';
import { isApp } from '../resource-pool/pool-ref.ts';
import { newEntity } from './vapp-config.ts';

type Known = Pick<Inventory, 'find'>;

/** The changes, with those of the vApps that something comes into or leaves. */
export function keepMembers(inventory: Known, ops: readonly InventoryOp[]): readonly InventoryOp[] {
  return amendRecords(
    inventory,
    ops,
    ops.flatMap((op) => moving(inventory, op)),
  );
}

function moving(inventory: Known, op: InventoryOp): Amendment<'VirtualApp'>[] {
  const ref = ('put' in op ? op.put : op.remove) as EntityRef;
  if (ref.type !== 'VirtualMachine' && ref.type !== 'VirtualApp') return [];
  const former = inventory.find(ref as MoRef<'VirtualMachine'>)?.parent;
  const now = 'put' in op ? op.record.parent : undefined;
  if (former?.value === now?.value) return [];
  return [
    ...(isApp(former) ? [{ ref: former, change: without(ref) }] : []),
    ...(isApp(now) ? [{ ref: now, change: withMember(ref) }] : []),
  ];
}

function without(member: ManagedObjectReference) {
  return (record: EntityRecord<'VirtualApp'>): EntityRecord<'VirtualApp'> => {
    const entityConfig = record.vAppConfig.entityConfig?.filter(({ key }) => key?.value !== member.value);
    return { ...record, vAppConfig: { ...record.vAppConfig, entityConfig: entityConfig ?? [] } };
  };
}

function withMember(member: ManagedObjectReference) {
  return (record: EntityRecord<'VirtualApp'>): EntityRecord<'VirtualApp'> => {
    const entities = record.vAppConfig.entityConfig ?? [];
    const last = Math.max(0, ...entities.map(({ startOrder = 0 }) => startOrder));
    const entityConfig = [...entities, newEntity(member as MoRef<'ManagedEntity'>, last + 1)];
    return { ...record, vAppConfig: { ...record.vAppConfig, entityConfig } };
  };
}
