// A clock that moves when told to.
import type { Clock, Timer } from '@vivarium/base';

interface Pending {
  readonly atMs: number;
  readonly fire: () => void;
}

export class VirtualClock implements Clock {
  #nowMs = Date.UTC(2026, 10, 22);
  readonly #pending = new Set<Pending>();

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    const pending = { atMs: this.#nowMs + delayMs, fire };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** Timers that are set now, by the delay that is left, soonest first. */
  get timers(): number[] {
    return [...this.#pending].map(({ atMs }) => atMs - this.#nowMs).toSorted((a, b) => a - b);
  }

  /** Lets time pass, timer by timer, with turns of the event loop after each. */
  async advance(ms: number): Promise<void> {
    await turns();
    const end = this.#nowMs + ms;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
      await turns();
    }
    this.#nowMs = end;
    await turns();
  }

  #next(endMs: number): Pending | undefined {
    return [...this.#pending].filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0];
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for what takes real time (files), a turn at a time. Throws when it does not come to pass. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (isSo()) return;
    await turns(1);
  }
  throw new Error(`this did not come to pass: ${what}`);
}
