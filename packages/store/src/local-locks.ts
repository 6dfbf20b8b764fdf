// Locks of an embedded store. One process has the store at a time (the file lock sees to that, and the kernel frees it when
// the process dies), so the locks themselves live in memory; only their fencing tokens are durable, being revisions.
import type { Clock, Timer } from '@vivarium/base';
import { LeaseLost, LockHeld, StoreClosed } from './errors.ts';
import type { Lease, LockHolder, LockOptions } from './lease.ts';
import type { Json, Revision } from './store.ts';

/** How many times a holder renews within its time to live. */
const RENEWALS = 3;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Lock {
  holder: LocalLease | undefined;
  /** Somebody is about to become the holder. */
  isTaken: boolean;
  readonly waiting: Waiter[];
}

export class LocalLocks {
  readonly #clock: Clock;
  readonly #nextFence: () => Promise<Revision>;
  readonly #locks = new Map<string, Lock>();
  #isClosed = false;

  constructor(clock: Clock, nextFence: () => Promise<Revision>) {
    this.#clock = clock;
    this.#nextFence = nextFence;
  }

  async lock(name: string, options: LockOptions & { readonly ttlMs: number }): Promise<Lease> {
    if (this.#isClosed) throw new StoreClosed('the store is closed');
    const lock = this.#lockOf(name);
    this.#expire(lock);
    if (lock.isTaken) {
      if (options.wait === false) throw new LockHeld(`the lock ${name} is held`);
      await this.#turn(lock, options.signal);
    }
    lock.isTaken = true;
    try {
      const fence = await this.#nextFence();
      if (this.#isClosed) throw new StoreClosed('the store is closed');
      const lease = new LocalLease(name, fence, options, this.#clock, () => this.#pass(lock));
      lock.holder = lease;
      return lease;
    } catch (error) {
      this.#pass(lock);
      throw error;
    }
  }

  holder(name: string): LockHolder | undefined {
    const lease = this.#locks.get(name)?.holder;
    return lease && { fence: lease.fence, holder: lease.holder };
  }

  /** Why a write that depends on the lease may not be made; undefined when it may. */
  refusal(lease: Lease | undefined): LeaseLost | undefined {
    if (!lease || this.#locks.get(lease.name)?.holder === lease) return undefined;
    return new LeaseLost(`the lease of ${lease.name} is over`);
  }

  close(): void {
    this.#isClosed = true;
    for (const { holder, waiting } of this.#locks.values()) {
      for (const { reject } of waiting.splice(0)) reject(new StoreClosed('the store is closed'));
      holder?.end(new StoreClosed('the store is closed'));
    }
    this.#locks.clear();
  }

  #lockOf(name: string): Lock {
    const found = this.#locks.get(name);
    if (found) return found;
    const made: Lock = { holder: undefined, isTaken: false, waiting: [] };
    this.#locks.set(name, made);
    return made;
  }

  async #turn(lock: Lock, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { resolve, reject };
    lock.waiting.push(waiter);
    // A holder that renews is looked at again and again, but only while somebody waits.
    let timer: Timer | undefined;
    const look = () => {
      this.#expire(lock);
      const rest = lock.holder ? Math.max(1, lock.holder.restMs) : 100;
      if (lock.waiting.includes(waiter)) timer = this.#clock.setTimer(rest, look);
    };
    look();
    // Out of the line at once: a lock that is passed on in the same turn would be lost on who has given up.
    const onAbort = () => {
      const place = lock.waiting.indexOf(waiter);
      if (place >= 0) lock.waiting.splice(place, 1);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #expire(lock: Lock): void {
    if (!lock.holder || lock.holder.restMs > 0) return;
    lock.holder.end(new LeaseLost(`the lease of ${lock.holder.name} was not renewed in time`));
    this.#pass(lock);
  }

  /** Nobody has the lock now; the next in line takes it. */
  #pass(lock: Lock): void {
    lock.holder = undefined;
    const next = lock.waiting.shift();
    lock.isTaken = next !== undefined;
    next?.resolve();
  }
}

class LocalLease implements Lease {
  readonly name: string;
  readonly fence: Revision;
  readonly holder: Json;
  #ttlMs: number;
  readonly #clock: Clock;
  readonly #release: () => void;
  readonly #controller = new AbortController();
  #deadline = 0;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(
    name: string,
    fence: Revision,
    { ttlMs, holder = null }: LockOptions & { readonly ttlMs: number },
    clock: Clock,
    release: () => void,
  ) {
    this.name = name;
    this.fence = fence;
    this.holder = holder;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#release = release;
    this.#renew();
  }

  get isHeld(): boolean {
    return this.restMs > 0;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get restMs(): number {
    return this.#isOver ? 0 : Math.max(0, this.#deadline - this.#clock.monotonic());
  }

  async setTtl(ttlMs: number): Promise<void> {
    if (this.#isOver) throw new LeaseLost(`the lease of ${this.name} is over`);
    this.#timer?.cancel();
    this.#ttlMs = ttlMs;
    this.#renew();
  }

  async release(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    this.#release();
  }

  end(reason: Error): void {
    if (this.#isOver) return;
    this.#end();
    this.#controller.abort(reason);
  }

  #end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #renew(): void {
    this.#deadline = this.#clock.monotonic() + this.#ttlMs;
    this.#timer = this.#clock.setTimer(this.#ttlMs / RENEWALS, () => this.#renew());
  }
}
