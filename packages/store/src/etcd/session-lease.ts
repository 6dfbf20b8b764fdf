// A lease of etcd's that lasts as long as the store is open: the writer's key goes with it when the process dies.
import type { Clock, Random, Timer } from '@vivarium/base';
import { type EtcdClient, methods } from './etcd-client.ts';
import { grantLease } from './grant-lease.ts';

const TTL_SECONDS = 60;
const RENEW_MS = 20_000;
const CALL_MS = 5_000;

export class SessionLease {
  readonly #client: EtcdClient;
  readonly #clock: Clock;
  readonly #random: Random;
  #id: number | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(client: EtcdClient, clock: Clock, random: Random) {
    this.#client = client;
    this.#clock = clock;
    this.#random = random;
  }

  /** Its id; it is made when there is none. Rejects as EtcdClient.call does. */
  async ensure(timeoutMs: number): Promise<number> {
    if (this.#id === undefined) {
      this.#id = await grantLease({ client: this.#client, random: this.#random, ttl: TTL_SECONDS, timeoutMs });
      this.#renewLater();
    }
    return this.#id;
  }

  /** It is over: the next `ensure` makes another. */
  forget(): void {
    this.#timer?.cancel();
    this.#id = undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    if (this.#id === undefined) return;
    await this.#client.attempt(methods.leaseRevoke, { id: this.#id }).catch(() => undefined); // or it expires by itself
  }

  #renewLater(): void {
    this.#timer?.cancel();
    if (this.#isClosed) return;
    this.#timer = this.#clock.setTimer(RENEW_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const id = this.#id;
    if (id === undefined) return;
    try {
      const { ttl } = await this.#client.call(methods.leaseKeepAlive, { id }, CALL_MS);
      if (ttl === 0 && this.#id === id) this.forget();
    } catch {
      // Out of reach: the next write or renewal finds out what became of it.
    }
    if (this.#id === id) this.#renewLater();
  }
}
