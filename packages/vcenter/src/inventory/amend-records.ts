// Changes records along with a set of operations: those that the set puts, or those that are there. Pure.
import type { MoRef } from '@vivarium/vim';
import type { EntityRecord, EntityRef, EntityType } from './entity-records.ts';
import type { Inventory, InventoryOp } from './inventory.ts';

export interface Amendment<T extends EntityType> {
  readonly ref: MoRef<T>;
  /** The same record, when there is nothing to change. */
  readonly change: (record: EntityRecord<T>) => EntityRecord<T>;
}

/** What leaves the inventory with `ops` is not amended. */
export function amendRecords<T extends EntityType>(
  inventory: Pick<Inventory, 'find'>,
  ops: readonly InventoryOp[],
  amendments: readonly Amendment<T>[],
): readonly InventoryOp[] {
  if (amendments.length === 0) return ops;
  const gone = new Set(ops.flatMap((op) => ('remove' in op ? [op.remove.value] : [])));
  const put = new Map(ops.flatMap((op) => ('put' in op ? [[(op.put as EntityRef).value, op.record] as const] : [])));
  const changed = new Map<string, InventoryOp>();
  for (const { ref, change } of amendments) {
    if (gone.has(ref.value)) continue;
    const record = (put.get(ref.value) as EntityRecord<T> | undefined) ?? inventory.find(ref);
    const next = record && change(record);
    if (!next || next === record) continue;
    put.set(ref.value, next);
    changed.set(ref.value, { put: ref, record: next } as unknown as InventoryOp);
  }
  if (changed.size === 0) return ops;
  return [...ops.filter((op) => !('put' in op && changed.has((op.put as EntityRef).value))), ...changed.values()];
}
