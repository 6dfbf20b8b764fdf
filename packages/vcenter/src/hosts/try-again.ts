// What a host could not be told is told again, a little later each time: a connection that was cut for a moment is no host that is lost,
// and nobody says when it is there again.
import type { Clock, Timer } from '@vivarium/base';

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

export class TryAgain {
  readonly #clock: Clock;
  readonly #again: (host: string) => void;
  readonly #waits = new Map<string, { readonly timer: Timer; readonly ms: number }>();

  /** `again` is to end with `failed` or `done`. */
  constructor(clock: Clock, again: (host: string) => void) {
    this.#clock = clock;
    this.#again = again;
  }

  failed(host: string): void {
    const before = this.#waits.get(host);
    before?.timer.cancel();
    const ms = Math.min(LONGEST_MS, before ? before.ms * 2 : FIRST_MS);
    this.#waits.set(host, { ms, timer: this.#clock.setTimer(ms, () => this.#again(host)) });
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
