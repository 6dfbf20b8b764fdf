// The host's statistics as PerformanceManager gives them out: an hour of real-time samples in memory, and their five-minute
// roll-ups for a day and a half on disk, as ESXi keeps them.
import { type Logger, Mutex } from '@vivarium/base';
import { type BlockStore, openSqliteBlocks } from '@vivarium/store';
import { type MoRef, make, moRefKey, type PerfInterval } from '@vivarium/vim';
import {
  Archive,
  type MetricId,
  type MetricValue,
  metricFilter,
  REAL_TIME_PERIOD_S,
  RealTimeStore,
  rollUpSamples,
  type Samples,
  type StatisticsProvider,
  type StatisticsQuery,
  type StatisticsSupport,
  type TimeRange,
} from '@vivarium/vmomi';

const PERIOD_S = 300;
const LENGTH_S = 129_600;
const EVERYTHING = metricFilter([]);

/** ESXi's one interval; it has no level and cannot be changed. */
const PAST_DAY: PerfInterval = make('PerfInterval', {
  key: 1,
  samplingPeriod: PERIOD_S,
  name: 'PastDay',
  length: LENGTH_S,
  enabled: true,
});

const PROVIDERS: ReadonlySet<string> = new Set(['VirtualMachine', 'HostSystem', 'ResourcePool']);

export class HostStatistics implements StatisticsProvider {
  readonly #log: Logger;
  readonly #blocks: BlockStore;
  readonly #archive: Archive;
  readonly #realTime = new RealTimeStore();
  readonly #rolling = new Mutex();
  /** End of the last five minutes that were rolled up, or were under way when we began. */
  #rolledUpMs: number | undefined;

  private constructor(blocks: BlockStore, log: Logger) {
    this.#log = log;
    this.#blocks = blocks;
    this.#archive = new Archive({
      blocks,
      levels: () => [{ periodS: PERIOD_S, lengthS: LENGTH_S, isEnabled: true, keeps: EVERYTHING }],
      now: () => this.#realTime.newestMs ?? Number.MAX_SAFE_INTEGER,
    });
  }

  /** A damaged history is put aside: it is not worth the host. */
  static open(file: string, log: Logger): HostStatistics {
    const putAside = (error: Error) => log.error({ file, err: error }, 'the statistics are damaged: making new ones');
    return new HostStatistics(openSqliteBlocks(file, { putAside }), log);
  }

  /** The figures of one pass over the host, by entity (see moRefKey). */
  record(timeMs: number, figures: ReadonlyMap<string, readonly MetricValue[]>): void {
    const newest = this.#realTime.newestMs;
    this.#realTime.begin(timeMs);
    for (const [entity, values] of figures) this.#realTime.record(entity, values);
    const period = Math.floor(timeMs / 1000 / PERIOD_S) * PERIOD_S * 1000;
    // After the clock went back the periods begin anew.
    if (this.#rolledUpMs === undefined || (newest !== undefined && timeMs <= newest)) {
      this.#rolledUpMs = period === timeMs ? period - PERIOD_S * 1000 : period;
    }
    if (period <= this.#rolledUpMs) return;
    this.#rolledUpMs = period;
    void this.#rollUp(period);
  }

  /** Nobody asks for it any more. Its history ages with all other. */
  forget(entity: MoRef): void {
    this.#realTime.forget(moRefKey(entity));
  }

  intervals(): readonly PerfInterval[] {
    return [PAST_DAY];
  }

  support(entity: MoRef): StatisticsSupport | undefined {
    return PROVIDERS.has(entity.type) ? { realTime: true, history: true } : undefined;
  }

  async available(entity: MoRef, periodS: number | undefined, range: TimeRange): Promise<readonly MetricId[]> {
    const key = moRefKey(entity);
    const realTime = periodS === PERIOD_S ? [] : this.#realTime.read(key, EVERYTHING, range).series;
    const history = periodS === REAL_TIME_PERIOD_S ? [] : this.#archive.metrics(key, PERIOD_S, range);
    const metrics = new Map<string, MetricId>();
    for (const { counter, instance } of [...realTime, ...history]) {
      metrics.set(`${counter}:${instance}`, { counter, instance });
    }
    return [...metrics.values()];
  }

  async query(queries: readonly StatisticsQuery[]): Promise<readonly Samples[]> {
    return queries.map(({ entity, periodS, metrics, range, limit }) => {
      const filter = metricFilter(metrics);
      return periodS === REAL_TIME_PERIOD_S
        ? this.#realTime.read(moRefKey(entity), filter, range, limit)
        : this.#archive.read(moRefKey(entity), periodS, filter, range);
    });
  }

  async close(): Promise<void> {
    await this.#rolling.run(() => this.#archive.settled());
    await this.#blocks.close();
  }

  #rollUp(untilMs: number): Promise<void> {
    const range = { afterMs: untilMs - PERIOD_S * 1000, untilMs };
    const figures = this.#realTime
      .entities()
      .map((entity) => [entity, rollUpSamples(this.#realTime.read(entity, EVERYTHING, range))] as const);
    return this.#rolling
      .run(() => this.#archive.put(untilMs, figures))
      .catch((error: unknown) => this.#log.warn({ err: error }, 'five minutes of statistics could not be kept'));
  }
}
