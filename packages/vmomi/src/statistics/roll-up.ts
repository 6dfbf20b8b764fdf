// The arithmetic of roll-ups: many figures of one series become one, as the counter's rollup type says. Pure.
// What is missing does not count: a VM that was off for half of the interval has the average of the other half.
import type { PerfSummaryType } from '@vivarium/vim';
import { findCounter } from './counters.ts';
import { type MetricValue, MISSING, type Samples } from './metric.ts';

export type RollUpType = `${PerfSummaryType}`;

/** One figure for `values`, which are in the order of time. MISSING when there is none, or when the type is `none`. */
export function rollUp(type: RollUpType, values: Iterable<number>): number {
  let sum = 0;
  let count = 0;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let last = MISSING;
  for (const value of values) {
    if (value === MISSING) continue;
    sum += value;
    count += 1;
    if (value < least) least = value;
    if (value > most) most = value;
    last = value;
  }
  if (count === 0) return MISSING;
  switch (type) {
    case 'average':
      return Math.round(sum / count);
    case 'summation':
      return sum;
    case 'minimum':
      return least;
    case 'maximum':
      return most;
    case 'latest':
      return last;
    case 'none':
      return MISSING;
  }
}

/** Every series of `samples` as one figure; those without a figure are left out. */
export function rollUpSamples({ series }: Samples): MetricValue[] {
  return series.flatMap(({ counter, instance, values }) => {
    const value = rollUp(findCounter(counter)?.rollUp ?? 'none', values);
    return value === MISSING ? [] : [{ counter, instance, value }];
  });
}
