// Puts steps that are whole by themselves together into batches that a store takes. Pure.
import { limits, type Op } from '@vivarium/store';
import type { InventoryOp, InventoryStep } from './inventory.ts';

/** A quarter of what a store takes: as much again may come with a batch (Inventory.completeBy), and one step may be large. */
const MOST_OPERATIONS = limits.operations / 4;
const MOST_BYTES = limits.bytes / 4;
/** Of the key of an operation. */
const KEY_BYTES = 100;

/** In their order. A step that is larger than a batch should be comes alone. */
export function* inBatches(steps: Iterable<InventoryStep>): Iterable<Required<InventoryStep>> {
  let batch = emptyBatch();
  for (const { ops, more = [] } of steps) {
    const bytes = bytesOf([...ops.map((op) => ('put' in op ? op.record : undefined)), ...more]);
    const operations = batch.ops.length + batch.more.length;
    const isFull = operations + ops.length + more.length > MOST_OPERATIONS || batch.bytes + bytes > MOST_BYTES;
    if (isFull && operations > 0) {
      yield batch;
      batch = emptyBatch();
    }
    batch.ops.push(...ops);
    batch.more.push(...more);
    batch.bytes += bytes;
  }
  if (batch.ops.length + batch.more.length > 0) yield batch;
}

const emptyBatch = () => ({ ops: [] as InventoryOp[], more: [] as Op[], bytes: 0 });

function bytesOf(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + KEY_BYTES + Buffer.byteLength(JSON.stringify(value) ?? ''), 0);
}
