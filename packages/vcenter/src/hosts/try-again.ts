// What a host could not be told is told again, a little later each time: a connection that was cut for a moment is no host that is lost,
// and nobody says when it is there again.
import type { Clock, Timer } from '@vivarium/base';
import { retryPauseMs } from './retry-pause.ts';

const PAUSES = { firstMs: 1_000, longestMs: 30_000 };

export class TryAgain {
  readonly #clock: Clock;
  readonly #again: (host: string) => void;
  /** `sinceMs`: of the monotonic clock, when it failed first. */
  readonly #waits = new Map<string, { readonly timer: Timer; readonly sinceMs: number }>();

  /** `again` is to end with `failed` or `done`. */
  constructor(clock: Clock, again: (host: string) => void) {
    this.#clock = clock;
    this.#again = again;
  }

  failed(host: string): void {
    const before = this.#waits.get(host);
    before?.timer.cancel();
    const now = this.#clock.monotonic();
    const sinceMs = before?.sinceMs ?? now;
    const timer = this.#clock.setTimer(retryPauseMs(now - sinceMs, PAUSES), () => this.#again(host));
    this.#waits.set(host, { sinceMs, timer });
  }

  /** It was told, has left, or is told anyway when it connects. */
  done(host: string): void {
    this.#waits.get(host)?.timer.cancel();
    this.#waits.delete(host);
  }

  close(): void {
    for (const host of [...this.#waits.keys()]) this.done(host);
  }
}
