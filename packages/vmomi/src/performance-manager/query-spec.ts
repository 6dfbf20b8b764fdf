// PerfQuerySpec, checked and made a query. Pure. The rules are those of the API reference: PerfQuerySpec, PerfProviderSummary.
import { MethodFault, type MoRef, type PerfInterval, type PerfQuerySpec } from '@vivarium/vim';
import type { TimeRange } from '../statistics/metric.ts';
import {
  REAL_TIME_LENGTH_S,
  REAL_TIME_PERIOD_S,
  type StatisticsQuery,
  type StatisticsSupport,
} from '../statistics/provider.ts';

export interface QueryFacts {
  /** Of the entity. */
  readonly support: StatisticsSupport;
  readonly intervals: readonly PerfInterval[];
  readonly nowMs: number;
}

/** Fault: InvalidArgument, naming the property. */
export function parseQuerySpec(spec: PerfQuerySpec, facts: QueryFacts): StatisticsQuery {
  const { entity, startTime, endTime, maxSample, metricId = [], intervalId, format } = spec;
  if (format !== undefined && format !== 'normal' && format !== 'csv') throw invalid('querySpec.format');
  const range = parseRange(startTime, endTime, 'querySpec');
  const periodS = choosePeriod(intervalId, range, facts);
  if (maxSample !== undefined && maxSample < 0) throw invalid('querySpec.maxSample');
  // Only real-time samples are counted; historical ones are all of the range.
  const limit = maxSample && periodS === REAL_TIME_PERIOD_S ? { limit: maxSample } : {};
  const metrics = metricId.map(({ counterId, instance }) => ({ counter: counterId, instance }));
  return { entity: entity as MoRef, periodS, range, metrics, ...limit };
}

export function parseRange(start: string | undefined, end: string | undefined, name: string): TimeRange {
  const range = {
    ...(start === undefined ? {} : { afterMs: Date.parse(start) }),
    ...(end === undefined ? {} : { untilMs: Date.parse(end) }),
  };
  if (range.afterMs !== undefined && range.untilMs !== undefined && range.afterMs > range.untilMs) {
    throw invalid(`${name}.startTime`);
  }
  return range;
}

/** The period of an intervalId that a client named. Fault: InvalidArgument. */
export function parsePeriod(
  intervalId: number,
  { support, intervals }: Omit<QueryFacts, 'nowMs'>,
  name: string,
): number {
  const isThere =
    intervalId === REAL_TIME_PERIOD_S
      ? support.realTime
      : support.history && intervals.some(({ samplingPeriod }) => samplingPeriod === intervalId);
  if (!isThere) throw invalid(name);
  return intervalId;
}

/** Without an interval: the samples as they were taken, or the finest that reach back to the beginning of the range. */
function choosePeriod(intervalId: number | undefined, { afterMs }: TimeRange, facts: QueryFacts): number {
  // Go clients write an unset number as 0.
  if (intervalId) return parsePeriod(intervalId, facts, 'querySpec.interval');
  const { support, intervals, nowMs } = facts;
  const reachesBack = (lengthS: number) => afterMs === undefined || afterMs >= nowMs - lengthS * 1000;
  if (support.realTime && (reachesBack(REAL_TIME_LENGTH_S) || !support.history)) return REAL_TIME_PERIOD_S;
  const kept = intervals.filter(({ enabled }) => enabled);
  const chosen = kept.find(({ length }) => reachesBack(length)) ?? kept.at(-1);
  if (!chosen) throw invalid('querySpec.interval');
  return chosen.samplingPeriod;
}

function invalid(invalidProperty: string): MethodFault {
  return new MethodFault('InvalidArgument', { invalidProperty });
}
