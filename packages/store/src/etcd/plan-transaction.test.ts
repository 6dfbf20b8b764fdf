import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../encode-batch.ts';
import { Keyspace } from './keyspace.ts';
import type { RequestOp, TxnRequest } from './messages.ts';
import { documentPart, MOST_OPS_IN_PART, MOST_PARTS, planDeletesOnly, planTransaction } from './plan-transaction.ts';

const keyspace = new Keyspace('v/');
const conditions = {
  writer: Buffer.from('v/w/1'),
  writerRevision: 7,
  pointer: keyspace.current,
  pointerRevision: 0,
  guard: { key: Buffer.from('v/l/leader/1'), fence: 5 },
};

const partOf = (writes: number, compares: number) =>
  documentPart(
    keyspace,
    '0',
    Array.from({ length: writes }, (_, number) => ({ key: `k${number}`, json: '1' })),
    Array.from({ length: compares }, (_, number) => ({ key: `k${number}`, revision: 0 })),
  );

/** etcd's own check, server/etcdserver/api/v3rpc/key.go checkTxnRequest, with its default --max-txn-ops. */
function fits(request: TxnRequest, most = 128): boolean {
  const count = Math.max(request.compare.length, request.success.length, request.failure.length);
  if (count > most) return false;
  return [...request.success, ...request.failure].every(({ txn }) => !txn || fits(txn, most - count));
}

function putKeys(ops: readonly RequestOp[]): string[] {
  return ops.flatMap(({ put, txn }) => (put ? [String(put.key)] : txn ? putKeys(txn.success) : []));
}

void test('the largest batch, and the largest group of batches, are each one transaction that etcd takes', () => {
  const largest = planTransaction(conditions, 1, 2, [partOf(limits.operations, limits.compares)]);
  assert.ok(fits(largest));
  assert.equal(new Set(putKeys(largest.success)).size, limits.operations + 1);
  const group = Array.from({ length: MOST_PARTS }, () => partOf(MOST_OPS_IN_PART, limits.compares));
  assert.ok(fits(planTransaction(conditions, 1, 2, group)));
  assert.ok(!fits(planTransaction(conditions, 1, 2, [...group, ...group, ...group, ...group])));
});

void test('every transaction depends on the writer, the contents and the lease', () => {
  const { compare, failure } = planTransaction(conditions, 1, 2, [partOf(1, 0)]);
  assert.deepEqual(
    compare.map(({ key, modRevision, createRevision }) => [String(key), modRevision ?? createRevision]),
    [
      ['v/w/1', 7],
      ['v/current', 0],
      ['v/l/leader/1', 5],
    ],
  );
  assert.deepEqual(
    failure.map(({ range }) => String(range?.key)),
    ['v/w/1', 'v/current', 'v/l/leader/1'],
  );
});

void test('a transaction of deletes alone puts nothing', () => {
  const part = documentPart(keyspace, '0', [{ key: 'a' }, { key: 'b' }], []);
  assert.deepEqual(putKeys(planDeletesOnly(conditions, [part]).success), []);
  assert.deepEqual(putKeys(planTransaction(conditions, 1, 2, [part]).success), ['v/w/1']);
});
