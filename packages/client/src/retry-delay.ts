// How long to wait before an endpoint that was lost is tried again. Pure.
import type { Random } from '@vivarium/base';

const FIRST_MS = 500;
const MOST_MS = 15_000;

/** Doubles with every attempt (1, 2, …) up to a bound, and is spread so that many clients do not come at once. */
export function retryDelayMs(attempt: number, random: Random): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** (Math.max(1, attempt) - 1));
  const [byte = 0] = random.bytes(1);
  return Math.round(most * (0.5 + byte / 510));
}
