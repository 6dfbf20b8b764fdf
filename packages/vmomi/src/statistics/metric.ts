// What is measured and what came of it: the terms that samplers, stores and queries share. Pure.

/** One series of figures of one entity. */
export interface MetricId {
  /** Key of the counter. */
  readonly counter: number;
  /** The device; '' for the entity as a whole. */
  readonly instance: string;
}

export interface MetricValue extends MetricId {
  /** A whole number in the counter's unit, at most 2^53 - 2; MISSING when there is none. */
  readonly value: number;
}

/** No figure, as vSphere writes it. */
export const MISSING = -1;

export interface Series extends MetricId {
  /** One for each of the times. */
  readonly values: readonly number[];
}

/** Series over common times. */
export interface Samples {
  /** Ends of the sampled intervals, ascending; milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
}

export const NO_SAMPLES: Samples = { times: [], series: [] };

/** Whether a metric is asked for. */
export type MetricFilter = (metric: MetricId) => boolean;

/** PerfQuerySpec.metricId: '*' means every instance and the whole; nothing named means everything. */
export function metricFilter(wanted: readonly MetricId[]): MetricFilter {
  if (wanted.length === 0) return () => true;
  const named = new Map<number, Set<string>>();
  for (const { counter, instance } of wanted) {
    const instances = named.get(counter) ?? new Set();
    named.set(counter, instances.add(instance));
  }
  return ({ counter, instance }) => {
    const instances = named.get(counter);
    return instances !== undefined && (instances.has(instance) || instances.has('*'));
  };
}

/** Times after `afterMs`, up to and with `untilMs`: vSphere leaves the sample at startTime out and takes the one at endTime. */
export interface TimeRange {
  readonly afterMs?: number;
  readonly untilMs?: number;
}

export function isWithin(timeMs: number, { afterMs, untilMs }: TimeRange): boolean {
  return (afterMs === undefined || timeMs > afterMs) && (untilMs === undefined || timeMs <= untilMs);
}
