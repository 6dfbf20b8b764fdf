// Locks in etcd. Whoever wants one puts a key below the lock's name; the oldest key holds, the others wait in line.
//
// A lock is handed over when the mirror has seen the key of the holder before go. Everything that holder has committed is in
// the mirror then, and what it sends later finds its key gone.
import type { Clock, Random } from '@vivarium/base';
import { LeaseLost, LockHeld, StoreClosed, StoreFull } from '../errors.ts';
import type { Lease, LockHolder, LockOptions } from '../lease.ts';
import type { Revision } from '../store.ts';
import { type EtcdClient, methods } from './etcd-client.ts';
import { EtcdLease } from './etcd-lease.ts';
import { grantLease } from './grant-lease.ts';
import type { Keyspace } from './keyspace.ts';
import type { Mirror } from './mirror.ts';
import { createdIs } from './plan-transaction.ts';

type Options = LockOptions & { readonly ttlMs: number };

interface Claim {
  readonly id: string;
  readonly lease: EtcdLease;
}

export class EtcdLocks {
  readonly #client: EtcdClient;
  readonly #keyspace: Keyspace;
  readonly #mirror: Mirror;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timeoutMs: number;
  readonly #onFull: () => void;
  readonly #claims = new Set<Claim>();
  readonly #locking = new Set<Promise<void>>();
  readonly #closed = new AbortController();

  constructor(options: {
    client: EtcdClient;
    keyspace: Keyspace;
    mirror: Mirror;
    clock: Clock;
    random: Random;
    timeoutMs: number;
    /** Hears that etcd is full: nobody can take a lock then. */
    onFull: () => void;
  }) {
    this.#client = options.client;
    this.#keyspace = options.keyspace;
    this.#mirror = options.mirror;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#timeoutMs = options.timeoutMs;
    this.#onFull = options.onFull;
    this.#mirror.locks.onChange(() => this.#look());
  }

  lock(name: string, options: Options): Promise<Lease> {
    const locking = this.#lock(name, options);
    const ended = locking.then(
      () => void this.#locking.delete(ended),
      () => void this.#locking.delete(ended),
    );
    this.#locking.add(ended);
    return locking;
  }

  async #lock(name: string, options: Options): Promise<Lease> {
    for (;;) {
      if (this.#closed.signal.aborted) throw this.#closed.signal.reason;
      const claim = await this.#claim(name, options).catch((error: unknown) => {
        if (error instanceof StoreFull) this.#onFull();
        throw error;
      });
      try {
        await this.#turn(name, claim, options);
        claim.lease.signal.throwIfAborted(); // its turn came and went while this process was held up
        return claim.lease;
      } catch (error) {
        await claim.lease.release();
        this.#claims.delete(claim);
        if (!(error instanceof LeaseLost)) throw error;
        // Cut off for so long that the place in line is gone: to its end.
      }
    }
  }

  holder(name: string): LockHolder | undefined {
    const first = this.#mirror.locks.first(name);
    return first && { fence: first.fence, holder: first.holder };
  }

  /** Gives all of them up. */
  async close(): Promise<void> {
    const reason = new StoreClosed('the store is closed');
    this.#closed.abort(reason);
    await Promise.all(this.#locking); // those that are getting into the line get out of it
    await Promise.all([...this.#claims].map(({ lease }) => lease.release(reason)));
  }

  /** Puts a key into the line, under a lease that is kept renewed. */
  async #claim(name: string, { ttlMs, holder = null }: Options): Promise<Claim> {
    const sentAt = this.#clock.monotonic();
    const leaseNumber = await grantLease({
      client: this.#client,
      random: this.#random,
      ttl: Math.ceil(ttlMs / 1_000),
      timeoutMs: this.#timeoutMs,
    });
    const id = leaseNumber.toString(16);
    const key = this.#keyspace.lock(name, id);
    const value = Buffer.from(JSON.stringify(holder));
    const put = { key, value, lease: leaseNumber };
    const request = { compare: [createdIs(key, 0)], success: [{ put }], failure: [{ range: { key } }] };
    const answer = await this.#client.call(methods.txn, request, this.#timeoutMs);
    // Not succeeded: an earlier try has put it, and its answer was lost.
    const there = answer.responses[0]?.range?.kvs[0]?.createRevision;
    const fence: Revision = answer.succeeded ? (answer.header?.revision ?? 0) : (there ?? 0);
    const lease = new EtcdLease({
      client: this.#client,
      clock: this.#clock,
      random: this.#random,
      timeoutMs: this.#timeoutMs,
      name,
      id: leaseNumber,
      ttlMs,
      sentAt,
      key,
      value,
      fence,
    });
    const claim = { id, lease };
    this.#claims.add(claim);
    return claim;
  }

  /** Resolves when the claim is the first in line. */
  async #turn(name: string, { id, lease }: Claim, { wait = true, signal }: Options): Promise<void> {
    await this.#mirror.reach(lease.fence, this.#timeoutMs);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (this.#mirror.locks.first(name)?.id === id) resolve();
      else if (!wait) reject(new LockHeld(`the lock ${name} is held`));
    };
    const giveUp = () => reject(signal?.reason);
    const lose = () => reject(lease.signal.reason);
    const close = () => reject(this.#closed.signal.reason);
    const leave = this.#mirror.locks.onChange(look);
    signal?.addEventListener('abort', giveUp, { once: true });
    lease.signal.addEventListener('abort', lose, { once: true });
    this.#closed.signal.addEventListener('abort', close, { once: true });
    if (this.#closed.signal.aborted) close();
    if (signal?.aborted) giveUp();
    if (lease.signal.aborted) lose();
    look();
    try {
      await promise;
    } finally {
      leave();
      signal?.removeEventListener('abort', giveUp);
      lease.signal.removeEventListener('abort', lose);
      this.#closed.signal.removeEventListener('abort', close);
    }
  }

  /** A claim whose key is gone is lost, however it went. */
  #look(): void {
    for (const claim of this.#claims) {
      const { id, lease } = claim;
      if (this.#mirror.revision < lease.fence || this.#mirror.locks.has(lease.name, id)) continue;
      this.#claims.delete(claim);
      lease.lose(new LeaseLost(`the lease of ${lease.name} is over`));
    }
  }
}
