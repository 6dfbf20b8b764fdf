// A lock that this process has in etcd: a key that lives as long as its lease, which is renewed four times in its time.
//
// Time is monotonic on both sides. The holder counts from when it sent the renewal that etcd acknowledged, etcd from when it
// got it, so the holder stops believing first. When etcd changes its leader, leases start anew there: a holder that could
// not renew for a while may still have its lock; until it knows, `isHeld` is false.
import type { Clock, Random, Timer } from '@vivarium/base';
import { LeaseLost } from '../errors.ts';
import type { Lease } from '../lease.ts';
import type { Revision } from '../store.ts';
import { type EtcdClient, methods } from './etcd-client.ts';
import { grantLease } from './grant-lease.ts';
import { createdIs } from './plan-transaction.ts';

const RENEWALS = 4;
const RETRY_MS = 200;
const RELEASE_MS = 2_000;

export interface EtcdLeaseOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs: number;
  readonly name: string;
  readonly id: number;
  readonly ttlMs: number;
  /** When the request for the lease was sent. */
  readonly sentAt: number;
  readonly key: Buffer;
  /** The key's. */
  readonly value: Buffer;
  readonly fence: Revision;
}

export class EtcdLease implements Lease {
  readonly name: string;
  readonly fence: Revision;
  readonly key: Buffer;
  readonly #client: EtcdClient;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timeoutMs: number;
  readonly #value: Buffer;
  #id: number;
  #ttlMs: number;
  readonly #controller = new AbortController();
  #deadline: number;
  #timer: Timer | undefined;
  #isOver = false;

  /** Keeps itself renewed from now on. */
  constructor(options: EtcdLeaseOptions) {
    this.name = options.name;
    this.fence = options.fence;
    this.key = options.key;
    this.#client = options.client;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#timeoutMs = options.timeoutMs;
    this.#value = options.value;
    this.#id = options.id;
    this.#ttlMs = options.ttlMs;
    this.#deadline = options.sentAt + options.ttlMs;
    this.#renewIn(options.ttlMs / RENEWALS);
  }

  get isHeld(): boolean {
    return this.restMs > 0;
  }

  get restMs(): number {
    return this.#isOver ? 0 : Math.max(0, this.#deadline - this.#clock.monotonic());
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The same key, hence the same place and fence, under another lease of etcd's. */
  async setTtl(ttlMs: number): Promise<void> {
    if (this.#isOver) throw new LeaseLost(`the lease of ${this.name} is over`);
    const sentAt = this.#clock.monotonic();
    try {
      const ttl = Math.ceil(ttlMs / 1_000);
      const id = await grantLease({ client: this.#client, random: this.#random, ttl, timeoutMs: this.#timeoutMs });
      // From when it is sent on the key may live only as long as the new lease.
      this.#deadline = Math.min(this.#deadline, sentAt + ttlMs);
      const put = { key: this.key, value: this.#value, lease: id };
      const request = { compare: [createdIs(this.key, this.fence)], success: [{ put }] };
      const { succeeded } = await this.#client.call(methods.txn, request, this.#timeoutMs);
      if (!succeeded) throw new LeaseLost(`the lease of ${this.name} is over`);
      const former = this.#id;
      this.#id = id;
      this.#ttlMs = ttlMs;
      this.#deadline = sentAt + ttlMs;
      this.#timer?.cancel();
      this.#renewIn(Math.max(0, ttlMs / RENEWALS - (this.#clock.monotonic() - sentAt)));
      void this.#client.call(methods.leaseRevoke, { id: former }, RELEASE_MS).catch(() => undefined);
    } catch (error) {
      // Nobody knows under which lease the key is.
      this.lose(error instanceof Error ? error : new LeaseLost(String(error)));
      throw error;
    }
  }

  /** With a reason, as a loss. */
  async release(reason?: Error): Promise<void> {
    if (this.#isOver) return;
    if (reason) this.lose(reason);
    else this.#end();
    // If etcd cannot be reached the lease expires there by itself.
    await this.#client.call(methods.leaseRevoke, { id: this.#id }, RELEASE_MS).catch(() => undefined);
  }

  /** Its key is gone. */
  lose(reason: Error): void {
    if (this.#isOver) return;
    this.#end();
    this.#controller.abort(reason);
  }

  #end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #renewIn(ms: number): void {
    if (!this.#isOver) this.#timer = this.#clock.setTimer(ms, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const sentAt = this.#clock.monotonic();
    const id = this.#id;
    const timeoutMs = this.#ttlMs / RENEWALS;
    try {
      const { ttl } = await this.#client.attempt(methods.leaseKeepAlive, { id }, { timeoutMs });
      if (id !== this.#id) return; // there is another now, which is renewed by itself
      if (ttl === 0) {
        this.lose(new LeaseLost(`the lease of ${this.name} has expired`));
        return;
      }
      this.#deadline = sentAt + this.#ttlMs;
      this.#renewIn(Math.max(0, timeoutMs - (this.#clock.monotonic() - sentAt)));
    } catch {
      if (id === this.#id) this.#renewIn(Math.min(RETRY_MS, timeoutMs)); // with another member, if there is one
    }
  }
}
