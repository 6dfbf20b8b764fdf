// Makes one etcd transaction of many jobs, and reads what became of each. Pure.
//
//   if   the writer's own key is of the revision that its last transaction gave it   (a transaction is applied once)
//        and the lease's key is that of the holder                                   (fencing)
//        and the generation pointer has not changed
//   then put the writer's key; for each job: if its compares hold then its operations else read what they are
//   else read those three keys
//
// etcd takes 128 operations a transaction (--max-txn-ops), counted per level of nesting: a level may have what the levels
// above it left of the 128. A batch of 2,000 is therefore nested once more, in parts of 60.
import { limits, type Write } from '../encode-batch.ts';
import { CompareFailed } from '../errors.ts';
import type { Compare as DocumentCompare, Revision } from '../store.ts';
import type { Keyspace } from './keyspace.ts';
import {
  COMPARE_CREATE,
  COMPARE_MOD,
  type Compare,
  type KeyValue,
  type RequestOp,
  type TxnRequest,
  type TxnResponse,
} from './messages.ts';

/** Jobs in one transaction, and operations of one of them, unless it is alone. */
export const MOST_PARTS = 40;
export const MOST_OPS_IN_PART = 80;
const MOST_OPS_IN_NEST = 60;

/** What one or more jobs want done: all of it or nothing. */
export interface Part {
  readonly compares: readonly Compare[];
  readonly ops: readonly RequestOp[];
}

/** What has to hold for any job of the transaction. */
export interface Preconditions {
  readonly writer: Buffer;
  /** The writer's key when its last transaction was applied. */
  readonly writerRevision: Revision;
  readonly pointer: Buffer;
  readonly pointerRevision: Revision;
  readonly guard?: { readonly key: Buffer; readonly fence: Revision };
}

export function documentPart(
  keyspace: Keyspace,
  generation: string,
  writes: readonly Write[],
  compares: readonly DocumentCompare[],
): Part {
  return {
    compares: compares.map(({ key, revision }) => modIs(keyspace.document(generation, key), revision)),
    ops: writes.map(({ key, json }): RequestOp => {
      const at = keyspace.document(generation, key);
      return json === undefined ? { deleteRange: { key: at } } : { put: { key: at, value: Buffer.from(json) } };
    }),
  };
}

export const modIs = (key: Buffer, revision: Revision): Compare => ({
  target: COMPARE_MOD,
  key,
  modRevision: revision,
});

export const createdIs = (key: Buffer, revision: Revision): Compare => ({
  target: COMPARE_CREATE,
  key,
  createRevision: revision,
});

/** `number` is the transaction's own; `lease` lets the writer's key go when the writer is gone. */
export function planTransaction(
  conditions: Preconditions,
  number: number,
  lease: number,
  parts: readonly Part[],
): TxnRequest {
  const { writer, writerRevision, pointer, pointerRevision, guard } = conditions;
  return {
    compare: [
      modIs(writer, writerRevision),
      modIs(pointer, pointerRevision),
      ...(guard ? [createdIs(guard.key, guard.fence)] : []),
    ],
    success: [{ put: { key: writer, value: Buffer.from(String(number)), lease } }, ...parts.map(partOp)],
    failure: [writer, pointer, ...(guard ? [guard.key] : [])].map((key) => ({ range: { key } })),
  };
}

/**
 * Only deletes, for an etcd that is full and refuses every put: the writer's key cannot be put, but deleting twice does no
 * harm.
 */
export function planDeletesOnly(conditions: Preconditions, parts: readonly Part[]): TxnRequest {
  const plan = planTransaction(conditions, 0, 0, parts);
  return { ...plan, success: plan.success.slice(1) };
}

function partOp({ compares, ops }: Part): RequestOp {
  const nests: RequestOp[] = [];
  if (ops.length > MOST_OPS_IN_PART) {
    for (let begin = 0; begin < ops.length; begin += MOST_OPS_IN_NEST) {
      const success = ops.slice(begin, begin + MOST_OPS_IN_NEST);
      nests.push({ txn: { compare: [], success, failure: [] } });
    }
  }
  const failure = compares.map(({ key }): RequestOp => ({ range: { key, keysOnly: true } }));
  return { txn: { compare: compares, success: nests.length > 0 ? nests : ops, failure } };
}

/** Of a transaction that was applied: whether each part was, or which of its compares failed and what was there instead. */
export function readParts(answer: TxnResponse, parts: readonly Part[], skip: 0 | 1): (undefined | FailedCompare)[] {
  return parts.map((part, index) => {
    const nested = answer.responses[index + skip]?.txn;
    if (!nested || nested.succeeded) return undefined;
    const found = part.compares.map((_, place) => nested.responses[place]?.range?.kvs[0]);
    return findFailedCompare(part.compares, found) ?? { index: 0, expected: 0, actual: 0 };
  });
}

/** The first compare that does not hold; `found` is what each one's key was. */
export function findFailedCompare(
  compares: readonly Compare[],
  found: readonly (KeyValue | undefined)[],
): FailedCompare | undefined {
  for (const [index, compare] of compares.entries()) {
    const there = found[index];
    const actual = (compare.target === COMPARE_MOD ? there?.modRevision : there?.createRevision) ?? 0;
    const expected = compare.modRevision ?? compare.createRevision ?? 0;
    if (actual !== expected) return { index, expected, actual };
  }
  return undefined;
}

export interface FailedCompare {
  readonly index: number;
  readonly expected: Revision;
  readonly actual: Revision;
}

export function toCompareFailed(failed: FailedCompare, compares: readonly DocumentCompare[]): CompareFailed {
  return new CompareFailed(compares[failed.index]?.key ?? '', failed.expected, failed.actual);
}

/** Of a transaction that was not applied: what was there instead of what it depends on. */
export function readRefusal(
  answer: TxnResponse,
): Readonly<Record<'writer' | 'pointer' | 'guard', KeyValue | undefined>> {
  const [writer, pointer, guard] = [0, 1, 2].map((place) => answer.responses[place]?.range?.kvs[0]);
  return { writer, pointer, guard };
}

/** A group of parts stays below it: etcd's 1.5 MiB (--max-request-bytes) with room for the keys' prefixes. */
export const MOST_BYTES = limits.bytes;
