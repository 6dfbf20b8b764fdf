import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../errors.ts';
import { HandClock } from '../testing/hand-clock.ts';
import { EtcdClient, methods } from './etcd-client.ts';
import { GrpcError, grpcStatus } from './grpc-error.ts';
import { Keyspace } from './keyspace.ts';
import type { RangeRequest, RangeResponse } from './messages.ts';
import { Mirror } from './mirror.ts';

/** An etcd at revision 7, then 8, …, with nothing in it, in which what is asked for is compacted so many times. */
class CompactedClient extends EtcdClient {
  asked: (number | undefined)[] = [];
  #compactions: number;

  constructor(compactions: number) {
    super({ urls: ['http://127.0.0.1:9'], tls: {}, clock: new HandClock(), attemptMs: 1 });
    this.#compactions = compactions;
  }

  override async call<Q, A>(call: { readonly path: string }, request: Partial<Q>): Promise<A> {
    assert.equal(call.path, methods.range.path);
    const { revision } = request as Partial<RangeRequest>;
    this.asked.push(revision);
    if (revision !== undefined && this.#compactions > 0) {
      this.#compactions -= 1;
      const cause = new GrpcError(grpcStatus.outOfRange, 'etcdserver: mvcc: required revision has been compacted');
      throw new StoreError(cause.message, { cause });
    }
    const answer: RangeResponse = { header: { revision: 6 + this.asked.length }, kvs: [], more: false };
    return answer as A;
  }

  override watch(): Promise<never> {
    return this.pause(1_000_000) as Promise<never>;
  }
}

void test('what is compacted while it is read is read anew at a newer revision', async () => {
  const client = new CompactedClient(2);
  const mirror = await Mirror.open(client, new Keyspace('test/'), new HandClock(), 1_000);
  assert.deepEqual(client.asked.slice(0, 4), [undefined, 7, undefined, 9]);
  assert.equal(mirror.revision, 11);
  client.close();
  await mirror.close();
});

void test('a store that is compacted again and again is not read for ever', async () => {
  const client = new CompactedClient(1_000);
  await assert.rejects(Mirror.open(client, new Keyspace('test/'), new HandClock(), 1_000), /has been compacted/);
  assert.equal(client.asked.length, 10);
  client.close();
});
