// What administrators decide of vCenter's statistics: level and life of the four historical intervals, and the level of each
// counter. Kept in the store. The rules are those of UpdatePerfInterval and UpdateCounterLevelMapping in the API reference.
import type { Op, Store } from '@vivarium/store';
import { MethodFault, make, type PerfInterval, type PerformanceManagerCounterLevelMapping } from '@vivarium/vim';
import type { ArchiveLevel } from './archive.ts';
import { findCounter } from './counters.ts';
import type { MetricId } from './metric.ts';

const INTERVAL = 'statistics/interval/';
const LEVEL = 'statistics/level/';
const DAY_S = 86_400;
const YEAR_S = 365 * DAY_S;

const DEFAULTS: readonly PerfInterval[] = [
  interval(1, 300, 'Past day', DAY_S),
  interval(2, 1800, 'Past week', 7 * DAY_S),
  interval(3, 7200, 'Past month', 30 * DAY_S),
  interval(4, 86_400, 'Past year', YEAR_S),
];
/** How many times its length an interval may be kept at most, by key. */
const LONGEST: Readonly<Record<number, number>> = { 1: 5 * DAY_S, 4: 5 * YEAR_S };

export interface CounterLevels {
  readonly aggregate: number;
  readonly device: number;
}

/** What may be changed of an interval. */
interface IntervalRecord {
  readonly level: number;
  readonly length: number;
  readonly enabled: boolean;
}

export class StatisticsSettings {
  readonly #store: Store;
  readonly #listeners = new Set<(changed: 'intervals' | 'levels') => void>();
  readonly #levels = new Map<number, CounterLevels>();
  #intervals: readonly PerfInterval[];

  constructor(store: Store) {
    this.#store = store;
    this.#intervals = DEFAULTS.map((known) => {
      const record = store.get<IntervalRecord>(`${INTERVAL}${known.key}`)?.value;
      return record ? { ...known, ...record } : known;
    });
    for (const { key, value } of store.range<CounterLevels>(LEVEL))
      this.#levels.set(Number(key.slice(LEVEL.length)), value);
  }

  /** Finest first. */
  intervals(): readonly PerfInterval[] {
    return this.#intervals;
  }

  /** From which statistics level a counter is kept. */
  levelsOf(counter: number): CounterLevels {
    const known = findCounter(counter);
    return this.#levels.get(counter) ?? { aggregate: known?.level ?? 4, device: known?.deviceLevel ?? 4 };
  }

  /** The intervals as the archive wants them. */
  archiveLevels(): ArchiveLevel[] {
    return this.#intervals.map(({ samplingPeriod, length, level = 1, enabled }) => ({
      periodS: samplingPeriod,
      lengthS: length,
      isEnabled: enabled,
      keeps: (metric) => this.keeps(metric, level),
    }));
  }

  /** Whether a metric is kept at a statistics level. */
  keeps({ counter, instance }: MetricId, level: number): boolean {
    const { aggregate, device } = this.levelsOf(counter);
    return (instance === '' ? aggregate : device) <= level;
  }

  onChange(listener: (changed: 'intervals' | 'levels') => void): void {
    this.#listeners.add(listener);
  }

  /** Fault: InvalidArgument for what cannot be changed and for what does not go together. */
  async updateInterval(wanted: PerfInterval): Promise<void> {
    const former = this.#intervals.find(({ key }) => key === wanted.key);
    if (!former) throw invalid('interval.key');
    if (wanted.samplingPeriod !== former.samplingPeriod) throw invalid('interval.samplingPeriod');
    const length = Math.max(former.length, LONGEST[wanted.key] ?? 0);
    const least = DEFAULTS.find(({ key }) => key === wanted.key)?.length ?? 0;
    if (wanted.length < least || wanted.length > length || wanted.length % least !== 0)
      throw invalid('interval.length');
    const level = wanted.level ?? former.level ?? 1;
    if (!(level >= 1 && level <= 4)) throw invalid('interval.level');
    const next = this.#intervals.map((other) => {
      if (other.key === wanted.key) return { ...other, level, length: wanted.length, enabled: wanted.enabled };
      // Nothing is rolled up from an interval that is not kept.
      return other.key > wanted.key && !wanted.enabled ? { ...other, enabled: false } : other;
    });
    for (const [index, { level: finer = 1, enabled }] of next.entries()) {
      const coarser = next[index + 1];
      if (coarser && (coarser.level ?? 1) > finer) throw invalid('interval.level');
      if (coarser?.enabled && !enabled) throw invalid('interval.enabled');
    }
    await this.#store.batch(
      next.map(({ key, level: kept = 1, length: lengthS, enabled }): Op => {
        const record: IntervalRecord = { level: kept, length: lengthS, enabled };
        return { put: `${INTERVAL}${key}`, value: record };
      }),
    );
    this.#intervals = next;
    for (const listener of this.#listeners) listener('intervals');
  }

  /** Fault: InvalidArgument for an unknown counter, for no level, or one beyond 1 … 4. */
  async updateLevels(mapping: readonly PerformanceManagerCounterLevelMapping[]): Promise<void> {
    const changed = new Map<number, CounterLevels>();
    for (const { counterId, aggregateLevel, perDeviceLevel } of mapping) {
      if (!findCounter(counterId)) throw invalid('counterLevelMap.counterId');
      // Go clients write an unset level as 0.
      const [aggregate, device] = [aggregateLevel || undefined, perDeviceLevel || undefined];
      if (aggregate === undefined && device === undefined) throw invalid('counterLevelMap.aggregateLevel');
      if (!isLevel(aggregate)) throw invalid('counterLevelMap.aggregateLevel');
      if (!isLevel(device)) throw invalid('counterLevelMap.perDeviceLevel');
      const former = changed.get(counterId) ?? this.levelsOf(counterId);
      const next = { aggregate: aggregate ?? former.aggregate, device: device ?? former.device };
      // Where devices are kept, their sum is kept too.
      changed.set(counterId, { ...next, aggregate: Math.min(next.aggregate, next.device) });
    }
    await this.#store.batch(Array.from(changed, ([key, value]): Op => ({ put: `${LEVEL}${key}`, value })));
    for (const [key, value] of changed) this.#levels.set(key, value);
    for (const listener of this.#listeners) listener('levels');
  }

  /** Back to the levels of the catalogue. Fault: InvalidArgument. */
  async resetLevels(keys: readonly number[]): Promise<void> {
    if (keys.some((key) => !findCounter(key))) throw invalid('counters');
    await this.#store.batch(keys.map((key): Op => ({ delete: `${LEVEL}${key}` })));
    for (const key of keys) this.#levels.delete(key);
    for (const listener of this.#listeners) listener('levels');
  }
}

function isLevel(level: number | undefined): boolean {
  return level === undefined || (Number.isInteger(level) && level >= 1 && level <= 4);
}

function invalid(invalidProperty: string): MethodFault {
  return new MethodFault('InvalidArgument', { invalidProperty });
}

function interval(key: number, samplingPeriod: number, name: string, length: number): PerfInterval {
  return make('PerfInterval', { key, samplingPeriod, name, length, level: 1, enabled: true });
}
