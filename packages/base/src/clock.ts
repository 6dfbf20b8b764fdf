// Time as an argument. Nothing outside base/node may ask the machine for the time.

/** A running timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. May jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. Use it for durations and deadlines. */
  monotonic(): number;
  /** Calls `fire` once after `delayMs`. The timer does not keep the process alive. */
  setTimer(delayMs: number, fire: () => void): Timer;
}

/** The clock's time as the schema's dateTime: ISO-8601 with milliseconds, UTC. */
export function dateTime(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** Resolves after `delayMs`; rejects with the signal's reason when it is aborted. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
