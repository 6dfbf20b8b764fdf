// For tests: a clock that moves when told to.
import type { Clock, Timer } from '@vivarium/base';

interface Pending {
  readonly at: number;
  readonly fire: () => void;
}

export class TestClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  /** What the time of day is off by since it jumped. */
  #jumpedMs = 0;
  readonly #pending = new Set<Pending>();

  now(): number {
    return this.#now + this.#jumpedMs;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const pending = { at: this.#now + delayMs, fire };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  /** Sets the time of day forward or back; no time passes. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  /** Whether a timer fires within this time. */
  hasTimerWithin(ms: number): boolean {
    return this.#next(this.#now + ms) !== undefined;
  }

  /** Lets time pass, timer by timer in order, with a turn of the event loop after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await turn();
    }
    this.#now = end;
    await turn();
  }

  #next(end: number): Pending | undefined {
    return [...this.#pending].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

/** Lets everything that is ready run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
