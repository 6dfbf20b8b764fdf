import type { Clock, Timer } from '@vivarium/base';

/** Time passes when told to. A stopped process is one whose timers do not fire meanwhile. */
export class HandClock implements Clock {
  #now = 1_000;
  wall = 0;
  readonly #timers = new Set<{ at: number; fire: () => void }>();

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const timer = { at: this.#now + delayMs, fire };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  stall(ms: number): void {
    this.#now += ms;
  }

  run(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    this.#now = end;
  }
}
