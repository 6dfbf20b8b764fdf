// What PerformanceManager is answered from. A host answers from its own samples, vCenter from its archive and its hosts.
import type { MoRef, PerfInterval } from '@vivarium/vim';
import { type MetricId, NO_SAMPLES, type Samples, type TimeRange } from './metric.ts';
import type { StatisticsSettings } from './statistics-settings.ts';

/** Seconds between two real-time samples, on hosts and so everywhere. */
export const REAL_TIME_PERIOD_S = 20;
/** Seconds for which real-time samples are kept. */
export const REAL_TIME_LENGTH_S = 3600;

export interface StatisticsSupport {
  readonly realTime: boolean;
  readonly history: boolean;
}

export interface StatisticsQuery {
  readonly entity: MoRef;
  /** REAL_TIME_PERIOD_S or the period of a historical interval. */
  readonly periodS: number;
  /** See metricFilter. */
  readonly metrics: readonly MetricId[];
  readonly range: TimeRange;
  /** The newest so many samples; all without it. */
  readonly limit?: number;
}

export interface StatisticsProvider {
  /** PerformanceManager.historicalInterval, finest first. */
  intervals(): readonly PerfInterval[];
  /** What there is of an entity of the graph; undefined when it is no performance provider. */
  support(entity: MoRef): StatisticsSupport | undefined;
  /** The metrics of which there are figures; in any period when none is named. */
  available(entity: MoRef, periodS: number | undefined, range: TimeRange): Promise<readonly MetricId[]>;
  /** One answer for each query, in their order. */
  query(queries: readonly StatisticsQuery[]): Promise<readonly Samples[]>;
  /** What administrators can change; absent where nothing can be (a host). */
  readonly settings?: StatisticsSettings;
}

/** Nothing is measured. */
export const NO_STATISTICS: StatisticsProvider = {
  intervals: () => [],
  support: () => undefined,
  available: async () => [],
  query: async (queries) => queries.map(() => NO_SAMPLES),
};
