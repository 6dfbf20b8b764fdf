// A host's figures by its own PerformanceManager: one QueryPerf for everything that is asked at a time, as CSV.
import {
  isFault,
  type ManagedObjectReference,
  type MoRef,
  moRef,
  moRefKey,
  type PerfEntityMetricCSV,
  type PerfMetricId,
  type PerfQuerySpec,
} from '@vivarium/vim';
import { type MetricId, NO_SAMPLES, type Samples, type StatisticsQuery, type TimeRange } from '@vivarium/vmomi';
import type { HostSource } from './host-source.ts';

/** ESXi's, and so hostd's. */
const PERFORMANCE_MANAGER = moRef('PerformanceManager', 'ha-perfmgr');

export interface LinkSourceOptions {
  /** One call of the host's API, in its words. */
  readonly call: (
    target: ManagedObjectReference,
    method: string,
    args: object,
    signal?: AbortSignal,
  ) => Promise<unknown>;
  /** The host's name of an entity of ours; undefined when it has no such entity. */
  readonly hostOf: (entity: MoRef) => ManagedObjectReference | undefined;
}

export function linkSource({ call, hostOf }: LinkSourceOptions): HostSource {
  return {
    async query(queries, signal) {
      let last: { readonly query: StatisticsQuery; readonly words: Omit<PerfQuerySpec, 'entity'> } | undefined;
      const asked = queries.flatMap((query, index) => {
        const local = hostOf(query.entity);
        if (!local) return [];
        if (!last || !asksTheSame(last.query, query)) last = { query, words: querySpec(query) };
        return [{ index, spec: { ...last.words, entity: local as MoRef } }];
      });
      const parse = samplesParser();
      const answers: Samples[] = queries.map(() => NO_SAMPLES);
      for (let left = asked; left.length > 0; ) {
        const querySpecs = left.map(({ spec }) => spec);
        try {
          const said = await call(PERFORMANCE_MANAGER, 'QueryPerf', { querySpec: querySpecs }, signal);
          for (const [position, metric] of (said as readonly PerfEntityMetricCSV[]).entries()) {
            const place = left[position];
            if (place) answers[place.index] = parse(metric);
          }
          break;
        } catch (error) {
          // A VM that has just gone: the others are asked again without it.
          const gone = isFault(error, 'ManagedObjectNotFound') ? error.fault.obj : undefined;
          const rest = left.filter(({ spec }) => !gone || moRefKey(spec.entity) !== moRefKey(gone));
          if (rest.length === left.length) throw error;
          left = rest;
        }
      }
      return answers;
    },

    async available(entity, periodS, range) {
      const local = hostOf(entity);
      if (!local) return [];
      const args = {
        entity: local,
        ...times(range, 'beginTime'),
        ...(periodS === undefined ? {} : { intervalId: periodS }),
      };
      const metrics = (await call(PERFORMANCE_MANAGER, 'QueryAvailablePerfMetric', args)) as PerfMetricId[] | undefined;
      return (metrics ?? []).map(({ counterId, instance }) => ({ counter: counterId, instance }));
    },
  };
}

/** A host and its VMs are asked in the same words. */
function asksTheSame(one: StatisticsQuery, other: StatisticsQuery): boolean {
  return (
    one.periodS === other.periodS &&
    one.metrics === other.metrics &&
    one.range === other.range &&
    one.limit === other.limit
  );
}

function querySpec(query: StatisticsQuery): Omit<PerfQuerySpec, 'entity'> {
  return {
    intervalId: query.periodS,
    format: 'csv',
    metricId: query.metrics.map(({ counter, instance }) => ({ counterId: counter, instance })),
    ...times(query.range, 'startTime'),
    ...(query.limit === undefined ? {} : { maxSample: query.limit }),
  };
}

function times<T extends string>({ afterMs, untilMs }: TimeRange, start: T): Partial<Record<T | 'endTime', string>> {
  const text = (timeMs: number) => new Date(timeMs).toISOString();
  return {
    ...(afterMs === undefined ? {} : { [start]: text(afterMs) }),
    ...(untilMs === undefined ? {} : { endTime: text(untilMs) }),
  } as Partial<Record<T | 'endTime', string>>;
}

/** Parses answers of one host: mostly all have figures of the same times. */
export function samplesParser(): (metric: PerfEntityMetricCSV) => Samples {
  let last: { readonly text: string; readonly times: readonly number[] } | undefined;
  return ({ sampleInfoCSV, value = [] }) => {
    if (sampleInfoCSV === '') return NO_SAMPLES;
    if (last?.text !== sampleInfoCSV) last = { text: sampleInfoCSV, times: parseTimes(sampleInfoCSV) };
    return {
      times: last.times,
      series: value.map(({ id, value: figures = '' }): MetricId & { values: number[] } => ({
        counter: id.counterId,
        instance: id.instance,
        values: figures === '' ? [] : figures.split(',').map(Number),
      })),
    };
  };
}

/** The inverse of PerfEntityMetricCSV.sampleInfoCSV: `20,2026-11-20T12:00:20Z,20,…`. */
function parseTimes(text: string): number[] {
  return text.split(',').flatMap((field, index) => (index % 2 === 1 ? Date.parse(field) : []));
}
