// The counters of the catalogue as objects, found by key and by name. Pure.
import type { PerformanceManagerUnit, PerfStatsType, PerfSummaryType } from '@vivarium/vim';
import { COUNTER_ROWS } from './counter-catalogue.ts';

/** A counter's name as clients write it: 'cpu.usage.average'. */
export type CounterName = (typeof COUNTER_ROWS)[number][1];

export interface Counter {
  readonly key: number;
  readonly name: CounterName;
  /** The parts of the name. */
  readonly group: string;
  readonly item: string;
  readonly rollUp: `${PerfSummaryType}`;
  readonly stats: `${PerfStatsType}`;
  readonly unit: `${PerformanceManagerUnit}`;
  /** See counter-catalogue.ts; 1 … 4. */
  readonly level: number;
  readonly deviceLevel: number;
  readonly label: string;
  readonly summary: string;
}

/** In the order of their keys. */
export const counters: readonly Counter[] = COUNTER_ROWS.map(
  ([key, name, stats, unit, level, deviceLevel, label, summary]): Counter => {
    const parts = name.split('.');
    const rollUp = parts.at(-1) as PerfSummaryType; // the rows' type says so
    const [group = '', ...item] = parts.slice(0, -1);
    return { key, name, group, item: item.join('.'), rollUp, stats, unit, level, deviceLevel, label, summary };
  },
).sort((a, b) => a.key - b.key);

const byKey: ReadonlyMap<number, Counter> = new Map(counters.map((counter) => [counter.key, counter]));
const keys = Object.fromEntries(counters.map(({ name, key }) => [name, key])) as Record<CounterName, number>;

export function findCounter(key: number): Counter | undefined {
  return byKey.get(key);
}

export function counterKey(name: CounterName): number {
  return keys[name];
}
