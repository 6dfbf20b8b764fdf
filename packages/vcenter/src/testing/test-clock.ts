// For tests: a clock that moves when told to. Waits of a few seconds, such as the answer to a failed login, are over at
// once; longer timers fire when the clock is advanced past them.
import type { Clock, Timer } from '@vivarium/base';

const SHORT_MS = 5000;

export class TestClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  /** What the time of day is off by since it jumped. */
  #jumpedMs = 0;
  readonly #timers = new Map<() => void, number>();

  now(): number {
    return this.#now + this.#jumpedMs;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    if (delayMs <= SHORT_MS) {
      const soon = setImmediate(fire);
      return { cancel: () => clearImmediate(soon) };
    }
    const own = () => fire();
    this.#timers.set(own, this.#now + delayMs);
    return { cancel: () => this.#timers.delete(own) };
  }

  /** Sets the time of day forward or back; no time passes. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const [fire, at] of [...this.#timers]) {
      if (at <= this.#now && this.#timers.delete(fire)) fire();
    }
  }
}
