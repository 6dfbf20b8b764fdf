// Samples in the two formats of the API. Pure.
import { type MoRef, make, type PerfEntityMetric, type PerfEntityMetricCSV } from '@vivarium/vim';
import type { MetricId, Samples } from '../statistics/metric.ts';

export interface EntitySamples {
  readonly entity: MoRef;
  readonly periodS: number;
  readonly samples: Samples;
}

export function entityMetric({ entity, periodS, samples: { times, series } }: EntitySamples): PerfEntityMetric {
  return make('PerfEntityMetric', {
    entity,
    sampleInfo: times.map((timeMs) => make('PerfSampleInfo', { timestamp: timestamp(timeMs), interval: periodS })),
    value: series.map((one) => make('PerfMetricIntSeries', { id: metricId(one), value: [...one.values] })),
  });
}

export function entityMetricCsv({ entity, periodS, samples: { times, series } }: EntitySamples): PerfEntityMetricCSV {
  return make('PerfEntityMetricCSV', {
    entity,
    sampleInfoCSV: times.map((timeMs) => `${periodS},${timestamp(timeMs)}`).join(','),
    value: series.map((one) => make('PerfMetricSeriesCSV', { id: metricId(one), value: one.values.join(',') })),
  });
}

export function metricId({ counter, instance }: MetricId) {
  return make('PerfMetricId', { counterId: counter, instance });
}

/** Samples are taken at full seconds. */
function timestamp(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}
