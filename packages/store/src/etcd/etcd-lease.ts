// A lock that this process has in etcd: a key that lives as long as its lease, which is renewed four times in its time.
//
// Time is monotonic on both sides. The holder counts from when it sent the renewal that etcd acknowledged, etcd from when it
// got it, so the holder stops believing first. When etcd changes its leader, leases start anew there: a holder that could
// not renew for a while may still have its lock; until it knows, `isHeld` is false.
import type { Clock, Timer } from '@vivarium/base';
import { LeaseLost } from '../errors.ts';
import type { Lease } from '../lease.ts';
import type { Revision } from '../store.ts';
import { type EtcdClient, methods } from './etcd-client.ts';

const RENEWALS = 4;
const RETRY_MS = 200;
const RELEASE_MS = 2_000;

export interface EtcdLeaseOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly name: string;
  readonly id: number;
  readonly ttlMs: number;
  /** When the request for the lease was sent. */
  readonly sentAt: number;
  readonly key: Buffer;
  readonly fence: Revision;
}

export class EtcdLease implements Lease {
  readonly name: string;
  readonly fence: Revision;
  readonly key: Buffer;
  readonly #client: EtcdClient;
  readonly #clock: Clock;
  readonly #id: number;
  readonly #ttlMs: number;
  readonly #controller = new AbortController();
  #deadline: number;
  #timer: Timer | undefined;
  #isOver = false;

  /** Keeps itself renewed from now on. */
  constructor({ client, clock, name, id, ttlMs, sentAt, key, fence }: EtcdLeaseOptions) {
    this.name = name;
    this.fence = fence;
    this.key = key;
    this.#client = client;
    this.#clock = clock;
    this.#id = id;
    this.#ttlMs = ttlMs;
    this.#deadline = sentAt + ttlMs;
    this.#renewIn(ttlMs / RENEWALS);
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
    const timeoutMs = this.#ttlMs / RENEWALS;
    try {
      const { ttl } = await this.#client.attempt(methods.leaseKeepAlive, { id: this.#id }, { timeoutMs });
      if (ttl === 0) {
        this.lose(new LeaseLost(`the lease of ${this.name} has expired`));
        return;
      }
      this.#deadline = sentAt + this.#ttlMs;
      this.#renewIn(Math.max(0, timeoutMs - (this.#clock.monotonic() - sentAt)));
    } catch {
      this.#renewIn(Math.min(RETRY_MS, timeoutMs)); // with another member, if there is one
    }
  }
}
