// What callers want written, checked and put into text before any engine sees it. Pure.
import { BatchTooLarge, StoreError } from './errors.ts';
import type { Compare, Op } from './store.ts';

/** A document to put, or, without `json`, to delete. */
export interface Write {
  readonly key: string;
  readonly json?: string;
}

export interface EncodedBatch {
  /** Each key once. */
  readonly writes: readonly Write[];
  readonly compares: readonly Compare[];
  /** Of keys and values, as UTF-8. */
  readonly bytes: number;
}

/**
 * The same for every engine, so that what works on one works on all. They are etcd's: 1.5 MiB a request, 128 operations a
 * transaction, of which nested transactions make 2,000 (etcd/plan-transaction.ts).
 */
export const limits = { operations: 2_000, compares: 64, bytes: 1 << 20, keyBytes: 1_024 } as const;

/** Throws BatchTooLarge, or StoreError for a value that is not JSON or a key that is no key. */
export function encodeBatch(ops: readonly Op[], compares: readonly Compare[]): EncodedBatch {
  if (ops.length > limits.operations) throw new BatchTooLarge('operations', limits.operations, ops.length);
  if (compares.length > limits.compares) throw new BatchTooLarge('compares', limits.compares, compares.length);
  const writes = new Map<string, Write>();
  for (const op of ops) {
    const key = 'put' in op ? op.put : op.delete;
    checkKey(key);
    writes.delete(key); // the last operation decides the place too
    writes.set(key, 'put' in op ? { key, json: encodeValue(key, op.value) } : { key });
  }
  let bytes = 0;
  for (const { key, json } of writes.values()) bytes += Buffer.byteLength(key) + Buffer.byteLength(json ?? '');
  for (const { key } of compares) bytes += Buffer.byteLength(key);
  if (bytes > limits.bytes) throw new BatchTooLarge('bytes', limits.bytes, bytes);
  return { writes: [...writes.values()], compares, bytes };
}

export function checkKey(key: string): void {
  if (key === '' || !key.isWellFormed() || Buffer.byteLength(key) > limits.keyBytes) {
    throw new StoreError(`not a key (1 to ${limits.keyBytes} bytes of Unicode): ${JSON.stringify(key.slice(0, 80))}`);
  }
}

export function encodeValue(key: string, value: unknown): string {
  const json: string | undefined = JSON.stringify(value);
  if (json === undefined) throw new StoreError(`the value of document ${key} is not JSON`);
  return json;
}
