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
      const asked = queries.flatMap((query, index) => {
        const local = hostOf(query.entity);
        return local ? [{ index, spec: querySpec(local, query) }] : [];
      });
      const answers: Samples[] = queries.map(() => NO_SAMPLES);
      for (let left = asked; left.length > 0; ) {
        const querySpecs = left.map(({ spec }) => spec);
        try {
          const said = await call(PERFORMANCE_MANAGER, 'QueryPerf', { querySpec: querySpecs }, signal);
          for (const [position, metric] of (said as readonly PerfEntityMetricCSV[]).entries()) {
            const place = left[position];
            if (place) answers[place.index] = parseSamples(metric);
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

function querySpec(entity: ManagedObjectReference, query: StatisticsQuery): PerfQuerySpec {
  return {
    entity: entity as MoRef,
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

/** The inverse of PerfEntityMetricCSV: `20,2026-11-20T12:00:20Z,20,…` and figures with commas. */
export function parseSamples({ sampleInfoCSV, value = [] }: PerfEntityMetricCSV): Samples {
  if (sampleInfoCSV === '') return NO_SAMPLES;
  const fields = sampleInfoCSV.split(',');
  return {
    times: fields.flatMap((field, index) => (index % 2 === 1 ? Date.parse(field) : [])),
    series: value.map(({ id, value: figures = '' }): MetricId & { values: number[] } => ({
      counter: id.counterId,
      instance: id.instance,
      values: figures === '' ? [] : figures.split(',').map(Number),
    })),
  };
}
