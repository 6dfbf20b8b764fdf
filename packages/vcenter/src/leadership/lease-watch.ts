// Whether the one that leads still does. Several vpxd have one store open; the holder of a lock leads.
//
//   certain ──── not renewed in time ────▶ in doubt ──── for too long, or lost ────▶ deposed
//      ▲                                      │
//      └────────────── renewed ───────────────┘
//
// In doubt somebody else may lead already: nothing is answered, and hosts are told nothing. The store decides about writes by
// itself, together with each of them (Store.guard).
import type { Clock, Timer } from '@vivarium/base';
import { type Lease, LeaseLost } from '@vivarium/store';

/** etcd without a leader of its own renews nothing for some seconds, and gives the lock to nobody. */
const DOUBT_MS = 10_000;
const LOOK_MS = 100;
const MOST_MS = 1_000;

export interface LeaseListener {
  doubted(): void;
  certain(): void;
  /** Once, at the end. */
  deposed(why: string): void;
}

export class LeaseWatch {
  readonly #lease: Pick<Lease, 'restMs' | 'signal'>;
  readonly #clock: Clock;
  readonly #listener: LeaseListener;
  #timer: Timer | undefined;
  #doubtedAt: number | undefined;
  #confirmed = Promise.withResolvers<void>();
  #isOver = false;

  constructor(lease: Pick<Lease, 'restMs' | 'signal'>, clock: Clock, listener: LeaseListener) {
    this.#lease = lease;
    this.#clock = clock;
    this.#listener = listener;
    lease.signal.addEventListener('abort', this.#lost, { once: true });
    if (lease.signal.aborted) this.#lost();
    else this.#look();
  }

  /** Nobody else leads now. */
  get isCertain(): boolean {
    return !this.#isOver && this.#lease.restMs > 0;
  }

  /** Resolves when nobody else leads; rejects when that will not be known any more. */
  whenCertain(): Promise<void> {
    return this.isCertain ? Promise.resolve() : this.#confirmed.promise;
  }

  stop(): void {
    this.#isOver = true;
    this.#confirmed.promise.catch(() => undefined);
    this.#confirmed.reject(new LeaseLost('this vCenter does not lead any more'));
    this.#timer?.cancel();
    this.#lease.signal.removeEventListener('abort', this.#lost);
  }

  #look(): void {
    if (this.#isOver) return;
    const { restMs } = this.#lease;
    const now = this.#clock.monotonic();
    if (restMs > 0) {
      this.#confirmed.resolve();
      this.#confirmed = Promise.withResolvers();
      if (this.#doubtedAt !== undefined) this.#listener.certain();
      this.#doubtedAt = undefined;
    } else if (this.#doubtedAt === undefined) {
      this.#doubtedAt = now;
      this.#listener.doubted();
    } else if (now - this.#doubtedAt >= DOUBT_MS) {
      this.#depose('its lease could not be renewed');
      return;
    }
    // While certain: when it would end, or before, as a lease can be shortened. In doubt: soon, as nobody tells that it was renewed.
    const delayMs = restMs > 0 ? Math.min(Math.ceil(restMs), MOST_MS) : LOOK_MS;
    this.#timer = this.#clock.setTimer(delayMs, () => this.#look());
  }

  readonly #lost = (): void => {
    const { reason } = this.#lease.signal;
    this.#depose(reason instanceof Error ? reason.message : String(reason));
  };

  #depose(why: string): void {
    if (this.#isOver) return;
    this.stop();
    this.#listener.deposed(why);
  }
}
