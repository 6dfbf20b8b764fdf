// How long to wait before a host that was lost is tried again: a part of the time that it has been away. So one that was away for
// a quarter of a minute is back within seconds of its return, and one that is off for good costs next to nothing. Pure.
import type { Random } from '@vivarium/base';

const SHARE = 8;

/** Milliseconds. `awayMs`: since it was lost. */
export function retryPauseMs(
  awayMs: number,
  { firstMs, longestMs }: { readonly firstMs: number; readonly longestMs: number },
): number {
  return Math.min(longestMs, Math.max(firstMs, awayMs / SHARE));
}

/** A half of it at least: many that are lost at once do not come at once. */
export function spread(pauseMs: number, random: Random): number {
  const [byte = 0] = random.bytes(1);
  return Math.round(pauseMs * (0.5 + byte / 510));
}
