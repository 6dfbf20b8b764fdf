// One host's figures of some periods, and those of its VMs, in one request.
import type { MoRef } from '@vivarium/vim';
import {
  counterKey,
  counters,
  type MetricId,
  type MetricValue,
  MISSING,
  type Samples,
  type StatisticsSettings,
  type TimeRange,
} from '@vivarium/vmomi';
import { DATASTORE_SUMS } from './group-figures.ts';
import type { HostSource } from './host-source.ts';

/** What a host handed in for one period. */
export interface HostFigures {
  readonly host: MoRef<'HostSystem'>;
  /** The host and its VMs. */
  readonly entities: readonly { readonly ref: MoRef; readonly values: readonly MetricValue[] }[];
}

/** The metrics that are kept at the base interval's level, and those that datastores are made of. */
export function metricsToAsk(settings: StatisticsSettings): MetricId[] {
  const level = settings.intervals()[0]?.level ?? 1;
  const forDatastores = new Set(DATASTORE_SUMS.map(counterKey));
  return counters.flatMap(({ key: counter }) => {
    const { aggregate, device } = settings.levelsOf(counter);
    if (device <= level || (forDatastores.has(counter) && aggregate <= level)) return { counter, instance: '*' };
    return aggregate <= level ? { counter, instance: '' } : [];
  });
}

export async function collectHost(options: {
  readonly host: MoRef<'HostSystem'>;
  readonly vms: readonly MoRef<'VirtualMachine'>[];
  readonly source: HostSource;
  readonly periodS: number;
  readonly range: TimeRange;
  readonly metrics: readonly MetricId[];
  readonly signal: AbortSignal;
}): Promise<(readonly [timeMs: number, HostFigures])[]> {
  const { host, vms, source, periodS, range, metrics, signal } = options;
  const refs = [host as MoRef, ...(vms as readonly MoRef[])];
  const answers = await source.query(
    refs.map((entity) => ({ entity, periodS, metrics, range })),
    signal,
  );
  const periods = new Map<number, { ref: MoRef; values: readonly MetricValue[] }[]>();
  for (const [index, ref] of refs.entries()) {
    for (const [timeMs, values] of byTime(answers[index])) {
      const entities = periods.get(timeMs);
      if (entities) entities.push({ ref, values });
      else periods.set(timeMs, [{ ref, values }]);
    }
  }
  return Array.from(periods, ([timeMs, entities]) => [timeMs, { host, entities }] as const);
}

function* byTime(samples: Samples | undefined): Generator<readonly [number, readonly MetricValue[]]> {
  for (const [index, timeMs] of (samples?.times ?? []).entries()) {
    const values = (samples?.series ?? []).flatMap(({ counter, instance, values: figures }) => {
      const value = figures[index] ?? MISSING;
      return value === MISSING ? [] : { counter, instance, value };
    });
    if (values.length > 0) yield [timeMs, values];
  }
}
