// What a control group tells of itself.
import { readFileSync } from 'node:fs';

/** Time so far that the threads of a group were held back by its CPU limit, in nanoseconds; undefined where nobody counts it. */
export function readThrottledNs(folder: string): number | undefined {
  try {
    return parseThrottled(readFileSync(`${folder}/cpu.stat`, 'latin1'));
  } catch {
    return undefined; // the group is gone with its VM
  }
}

/** cpu.stat of either version: nanoseconds in version 1, microseconds in version 2. */
export function parseThrottled(stat: string): number | undefined {
  const [, unit, time] = /^throttled_(time|usec) (\d+)$/m.exec(stat) ?? [];
  return time === undefined ? undefined : Number(time) * (unit === 'usec' ? 1000 : 1);
}
