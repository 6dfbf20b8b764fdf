// Waiting for a condition that nobody announces: another process, a file.
import { delay } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';

const STEP_MS = 100;

/** Whether `condition` became true within `timeoutMs`. Keeps this process alive meanwhile. */
export async function waitUntil(condition: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const end = systemClock.monotonic() + timeoutMs;
  const alive = setInterval(() => undefined, 1 << 30);
  try {
    for (;;) {
      if (await condition()) return true;
      if (systemClock.monotonic() > end) return false;
      await delay(systemClock, STEP_MS);
    }
  } finally {
    clearInterval(alive);
  }
}
