// For tests: a clock whose timers fire as soon as they may, and that keeps what they were set to.
import type { Clock } from '@vivarium/base';

export class HastyClock implements Clock {
  readonly delaysMs: number[] = [];

  now(): number {
    return 0;
  }

  monotonic(): number {
    return 0;
  }

  setTimer(delayMs: number, fire: () => void): { cancel(): void } {
    this.delaysMs.push(delayMs);
    const turn = setImmediate(fire);
    return { cancel: () => clearImmediate(turn) };
  }
}
