// Long work, done in pieces, takes turns with everything else: all of it together gets so much of one turn of the event loop, then
// the others.
import type { Clock } from '@vivarium/base';

const TURN_MS = 8;

export class Pacer {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #turnEnd = 0;
  #isScheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be awaited between two pieces of work: undefined while the turn lasts. */
  pause(): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#clock.monotonic() < this.#turnEnd) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#turnEnd = this.#clock.monotonic() + TURN_MS;
      // One at a time, first come first served: each goes on until the turn is over and lines up again.
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
