import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../errors.ts';
import { grantLease } from './grant-lease.ts';
import { GrpcError } from './grpc-error.ts';

const random = { bytes: (count: number) => new Uint8Array(count).fill(7) };

function grantAnswered(answer: () => Promise<never>): Promise<number> {
  return grantLease({ client: { call: answer }, random, ttl: 60, timeoutMs: 1_000 });
}

function refusal(code: number, message: string): StoreError {
  return new StoreError(message, { cause: new GrpcError(code, message) });
}

void test('a lease that an earlier try has made is the one that was asked for', async () => {
  const id = await grantAnswered(() => Promise.reject(refusal(9, 'etcdserver: lease already exists')));
  assert.equal(id, 0x070707070707);
});

void test('a lease that is refused for another reason is refused', async () => {
  const refused = refusal(9, 'etcdserver: no space');
  await assert.rejects(
    grantAnswered(() => Promise.reject(refused)),
    refused,
  );
});
