// The history of figures on disk: roll-ups of the historical intervals, finest first, each made of the one before it.
//
// A series of the block store holds one interval ("p300"). Entities are numbered in the order in which they come and lie 64 to
// a block; a block's id is its time (in periods) and its chunk, so a whole period is one stretch of the table and a year of
// one entity is 365 look-ups. A roll-up is made from the blocks below it as soon as its period is over, and again when a late
// figure comes: what is on disk decides, so a killed daemon makes up for it when it is back.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Mutex } from '@vivarium/base';
import type { Block, BlockStore } from '@vivarium/store';
import { ArchiveDictionary, type Layout } from './archive-dictionary.ts';
import { type BlockEntry, decodeBlock, encodeBlock } from './block.ts';
import { findCounter } from './counters.ts';
import { type MetricFilter, type MetricId, type MetricValue, MISSING, type Samples, type TimeRange } from './metric.ts';
import { rollUp } from './roll-up.ts';

const CHUNK_SIZE = 64;
/** More chunks than there will ever be. */
const CHUNKS = 2 ** 20;
/** Entities whose figures are put into blocks in one turn of the event loop: a few milliseconds. */
const ENTITIES_AT_ONCE = 256;
/** Blocks in one transaction: some 20 ms on the daemon's thread. */
const BLOCKS_AT_ONCE = 256;
/**
 * Periods of a series that go at a time: twice as fast as they come. A clock that is wrong for an hour does not cost the year that is
 * there.
 */
const PERIODS_GONE_AT_ONCE = 2;
/** Empty periods that are gone through in one turn of the event loop: a clock that was set forward leaves many behind. */
const PERIODS_AT_ONCE = 500;

/** One historical interval. */
export interface ArchiveLevel {
  /** Seconds that one figure stands for; a multiple of the level before. */
  readonly periodS: number;
  /** Seconds for which figures are kept. */
  readonly lengthS: number;
  /** When not, nothing is added to it and to those above it; what is there grows old. */
  readonly isEnabled: boolean;
  /** Which metrics are kept. */
  readonly keeps: MetricFilter;
}

export interface ArchiveOptions {
  readonly blocks: BlockStore;
  /** Finest first. Asked every time: they may change. */
  readonly levels: () => readonly ArchiveLevel[];
  /** Milliseconds since the epoch. What is of later times was kept while the clock was wrong, and does not count. */
  readonly now: () => number;
}

export class Archive {
  readonly #blocks: BlockStore;
  readonly #levels: () => readonly ArchiveLevel[];
  readonly #now: () => number;
  readonly #dictionary: ArchiveDictionary;
  readonly #writing = new Mutex();
  /** Chunks with figures of periods that are not complete yet, by time. */
  readonly #added = new Map<number, Set<number>>();

  constructor({ blocks, levels, now }: ArchiveOptions) {
    this.#blocks = blocks;
    this.#levels = levels;
    this.#now = now;
    this.#dictionary = new ArchiveDictionary(blocks);
  }

  /**
   * Keeps figures of one period of the finest level, which ended at `timeMs`: those of some entities. Resolves when they are
   * on disk. Rejects as BlockStore.write; what was not written can be put again.
   */
  add(timeMs: number, figures: Iterable<readonly [entity: string, values: readonly MetricValue[]]>): Promise<void> {
    return this.#writing.run(async () => {
      const [base] = this.#levels();
      if (!base?.isEnabled) return;
      const added = this.#added.get(timeMs) ?? new Set<number>();
      this.#added.set(timeMs, added);
      for (const chunk of await this.#putBase(base, timeMs, figures)) added.add(chunk);
    });
  }

  /** All that is known of the period has been added: rolls up what is complete with it, and lets go of what is too old. */
  complete(timeMs: number): Promise<void> {
    return this.#writing.run(async () => {
      const chunks = this.#added.get(timeMs) ?? new Set<number>();
      this.#added.delete(timeMs);
      const levels = this.#levels();
      if (!levels[0]?.isEnabled) return;
      for (const [index, level] of levels.entries()) {
        if (!level.isEnabled) break;
        const below = levels[index - 1];
        if (below) await this.#rollUpLevel(below, level, timeMs, chunks);
      }
      await this.#trim(levels);
    });
  }

  /** A whole period at once: add and complete. */
  async put(
    timeMs: number,
    figures: Iterable<readonly [entity: string, values: readonly MetricValue[]]>,
  ): Promise<void> {
    await this.add(timeMs, figures);
    await this.complete(timeMs);
  }

  /** Makes the roll-ups that a daemon which was killed, or was away, has left undone. */
  catchUp(): Promise<void> {
    return this.#writing.run(async () => {
      const levels = this.#levels();
      for (const [index, level] of levels.entries()) {
        if (!level.isEnabled) break;
        const below = levels[index - 1];
        if (below) await this.#rollUpLevel(below, level, undefined, new Set());
      }
    });
  }

  /** End of the newest period of a level; undefined when there is none. */
  newestMs(periodS: number): number | undefined {
    const last = this.#blocks.lastId(series(periodS));
    return last === undefined ? undefined : timeOf(last, periodS);
  }

  /** The figures of one entity, at the times at which it has one of the metrics. */
  read(entity: string, periodS: number, filter: MetricFilter, range: TimeRange = {}): Samples {
    const times: number[] = [];
    const values = new Map<string, { metric: MetricId; values: number[] }>();
    for (const { timeMs, layout, figures } of this.#entries(entity, periodS, range)) {
      if (!layout.some(filter)) continue;
      for (const [index, metric] of layout.entries()) {
        if (!filter(metric)) continue;
        const key = metricKey(metric);
        let found = values.get(key);
        if (!found) values.set(key, (found = { metric, values: [] }));
        while (found.values.length < times.length) found.values.push(MISSING);
        found.values.push(figures[index] ?? MISSING);
      }
      times.push(timeMs);
    }
    const series = [...values.values()].map(({ metric, values: known }) => ({
      ...metric,
      values: times.map((_, index) => known[index] ?? MISSING),
    }));
    return { times, series };
  }

  /** The metrics of which an entity has figures. */
  metrics(entity: string, periodS: number, range: TimeRange = {}): MetricId[] {
    const found = new Map<string, MetricId>();
    const seen = new Set<Layout>();
    for (const { layout } of this.#entries(entity, periodS, range)) {
      if (seen.has(layout)) continue;
      seen.add(layout);
      for (const metric of layout) found.set(metricKey(metric), metric);
    }
    return [...found.values()];
  }

  /** End of the newest period, not before `sinceMs`, in which an entity has a figure. */
  newestOf(entity: string, periodS: number, sinceMs: number): number | undefined {
    const id = this.#dictionary.findEntity(entity);
    const last = this.#lastPeriod(periodS);
    if (id === undefined || last === undefined) return undefined;
    const chunk = Math.floor(id / CHUNK_SIZE);
    for (let period = last; period * periodS * 1000 >= sinceMs; period--) {
      const [entry] = this.#block(periodS, period * CHUNKS + chunk, (slot) => slot === id % CHUNK_SIZE);
      if (entry) return period * periodS * 1000;
    }
    return undefined;
  }

  /** What every entity had in the period that ended at `timeMs`. */
  *at(periodS: number, timeMs: number): Generator<readonly [entity: string, values: readonly MetricValue[]]> {
    const period = Math.round(timeMs / 1000 / periodS);
    const range = { from: period * CHUNKS, until: (period + 1) * CHUNKS };
    for (const id of this.#blocks.ids(series(periodS), range)) {
      for (const { slot, layout, values } of this.#block(periodS, id)) {
        const name = this.#dictionary.nameOf((id % CHUNKS) * CHUNK_SIZE + slot);
        if (name !== undefined) yield [name, pair(this.#dictionary.layout(layout), values)];
      }
    }
  }

  /** Waits for writes under way. The block store stays open. */
  async settled(): Promise<void> {
    await this.#writing.run(async () => undefined);
  }

  *#entries(
    entity: string,
    periodS: number,
    { afterMs, untilMs }: TimeRange,
  ): Generator<{ timeMs: number; layout: Layout; figures: readonly number[] }> {
    const name = series(periodS);
    const id = this.#dictionary.findEntity(entity);
    const [first, last] = [this.#blocks.firstId(name), this.#lastPeriod(periodS)];
    if (id === undefined || first === undefined || last === undefined) return;
    const length = this.#levels().find((level) => level.periodS === periodS)?.lengthS ?? 0;
    const newest = Math.min(last, Math.floor((untilMs ?? Number.MAX_SAFE_INTEGER) / 1000 / periodS));
    const oldest = Math.max(
      Math.floor(first / CHUNKS),
      Math.floor((afterMs ?? 0) / 1000 / periodS) + 1,
      newest - Math.ceil(length / periodS),
    );
    const chunk = Math.floor(id / CHUNK_SIZE);
    const slot = id % CHUNK_SIZE;
    for (let period = oldest; period <= newest; period++) {
      const [entry] = this.#block(periodS, period * CHUNKS + chunk, (candidate) => candidate === slot);
      if (!entry) continue;
      yield { timeMs: period * periodS * 1000, layout: this.#dictionary.layout(entry.layout), figures: entry.values };
    }
  }

  async #putBase(
    base: ArchiveLevel,
    timeMs: number,
    figures: Iterable<readonly [string, readonly MetricValue[]]>,
  ): Promise<Set<number>> {
    const chunks = new Map<number, Map<number, BlockEntry>>();
    let count = 0;
    for (const [name, values] of figures) {
      if (++count % ENTITIES_AT_ONCE === 0) await nextTurn();
      const kept = values.filter((metric) => metric.value !== MISSING && base.keeps(metric));
      if (kept.length === 0) continue;
      const entity = this.#dictionary.entity(name, timeMs);
      const chunk = Math.floor(entity / CHUNK_SIZE);
      const entries = chunks.get(chunk) ?? new Map<number, BlockEntry>();
      const slot = entity % CHUNK_SIZE;
      entries.set(slot, {
        slot,
        layout: this.#dictionary.layoutId(kept),
        values: kept.map(({ value }) => value),
      });
      chunks.set(chunk, entries);
    }
    const period = Math.round(timeMs / 1000 / base.periodS);
    const made: Block[] = [];
    for (const [chunk, entries] of chunks) {
      const id = period * CHUNKS + chunk;
      for (const entry of this.#block(base.periodS, id)) if (!entries.has(entry.slot)) entries.set(entry.slot, entry);
      made.push({ id, bytes: encodeBlock([...entries.values()]) });
    }
    await this.#write(base.periodS, made);
    return new Set(chunks.keys());
  }

  /** Every period of `level` that is complete in `below` and not there yet; and the one that `timeMs` came late for. */
  async #rollUpLevel(
    below: ArchiveLevel,
    level: ArchiveLevel,
    timeMs: number | undefined,
    chunks: ReadonlySet<number>,
  ): Promise<void> {
    const ratio = level.periodS / below.periodS;
    const first = this.#blocks.firstId(series(below.periodS));
    const newest = this.#lastPeriod(below.periodS);
    if (first === undefined || newest === undefined) return;
    const done = this.#lastPeriod(level.periodS) ?? Math.ceil(Math.floor(first / CHUNKS) / ratio) - 1;
    const complete = Math.floor(newest / ratio);
    if (timeMs !== undefined) {
      const period = Math.ceil(timeMs / 1000 / level.periodS);
      if (period <= done) await this.#rollUpPeriod(below, level, period, chunks);
    }
    for (let period = done + 1; period <= complete; period++) {
      if ((period - done) % PERIODS_AT_ONCE === 0) await nextTurn();
      const range = { from: ((period - 1) * ratio + 1) * CHUNKS, until: (period * ratio + 1) * CHUNKS };
      const ids = this.#blocks.ids(series(below.periodS), range);
      await this.#rollUpPeriod(below, level, period, new Set(ids.map((id) => id % CHUNKS)));
    }
  }

  async #rollUpPeriod(
    below: ArchiveLevel,
    level: ArchiveLevel,
    period: number,
    chunks: ReadonlySet<number>,
  ): Promise<void> {
    const ratio = level.periodS / below.periodS;
    let made: Block[] = [];
    for (const chunk of chunks) {
      const parts: BlockEntry[][] = [];
      for (let part = (period - 1) * ratio + 1; part <= period * ratio; part++) {
        parts.push(this.#block(below.periodS, part * CHUNKS + chunk));
      }
      const entries = this.#rollUpEntries(parts, level.keeps);
      await nextTurn();
      if (entries.length > 0) made.push({ id: period * CHUNKS + chunk, bytes: encodeBlock(entries) });
      if (made.length < BLOCKS_AT_ONCE) continue;
      await this.#write(level.periodS, made);
      made = [];
    }
    await this.#write(level.periodS, made);
  }

  #rollUpEntries(parts: readonly (readonly BlockEntry[])[], keeps: MetricFilter): BlockEntry[] {
    const bySlot = new Map<number, BlockEntry[]>();
    for (const entry of parts.flat()) {
      const entries = bySlot.get(entry.slot);
      if (entries) entries.push(entry);
      else bySlot.set(entry.slot, [entry]);
    }
    return [...bySlot].flatMap(([slot, entries]) => {
      const metrics: MetricId[] = [];
      const values: number[] = [];
      for (const [metric, figures] of this.#columns(entries)) {
        const value = keeps(metric) ? rollUp(findCounter(metric.counter)?.rollUp ?? 'none', figures) : MISSING;
        if (value === MISSING) continue;
        metrics.push(metric);
        values.push(value);
      }
      return values.length === 0 ? [] : [{ slot, layout: this.#dictionary.layoutId(metrics), values }];
    });
  }

  /** The figures of each metric in the order of time. */
  #columns(entries: readonly BlockEntry[]): Iterable<readonly [MetricId, readonly number[]]> {
    const [first] = entries;
    const isUniform = first !== undefined && entries.every(({ layout }) => layout === first.layout);
    if (isUniform) {
      const layout = this.#dictionary.layout(first.layout);
      return layout.map((metric, index) => [metric, entries.map(({ values }) => values[index] ?? MISSING)] as const);
    }
    const columns = new Map<string, readonly [MetricId, number[]]>();
    for (const { layout, values } of entries) {
      for (const [index, metric] of this.#dictionary.layout(layout).entries()) {
        const key = metricKey(metric);
        const column = columns.get(key) ?? ([metric, []] as const);
        column[1].push(values[index] ?? MISSING);
        columns.set(key, column);
      }
    }
    return columns.values();
  }

  #block(periodS: number, id: number, wants?: (slot: number) => boolean): BlockEntry[] {
    const bytes = this.#blocks.get(series(periodS), id);
    try {
      return bytes ? decodeBlock(bytes, wants) : [];
    } catch (error) {
      if (error instanceof RangeError) return []; // a block that was damaged on disk is a gap in the curve, no more
      throw error;
    }
  }

  async #write(periodS: number, blocks: readonly Block[]): Promise<void> {
    const name = series(periodS);
    const names = this.#dictionary.unwritten();
    const puts = [...names, ...blocks.map((block) => ({ series: name, block }))];
    for (let start = 0; start < puts.length; start += BLOCKS_AT_ONCE) {
      await this.#blocks.write({ puts: puts.slice(start, start + BLOCKS_AT_ONCE) });
      await nextTurn();
    }
    this.#dictionary.written(names);
  }

  /** Number of the newest period of a level that may be over. */
  #lastPeriod(periodS: number): number | undefined {
    const last = this.#blocks.lastId(series(periodS));
    return last === undefined
      ? undefined
      : Math.min(Math.floor(last / CHUNKS), Math.floor(this.#now() / 1000 / periodS) + 1);
  }

  async #trim(levels: readonly ArchiveLevel[]): Promise<void> {
    const [base] = levels;
    const newestS = base ? (this.#lastPeriod(base.periodS) ?? 0) * base.periodS : 0;
    let oldestMs = Number.MAX_SAFE_INTEGER;
    for (const { periodS, lengthS } of levels) {
      const oldest = Math.floor((newestS - lengthS) / periodS);
      for (let count = 0; count < PERIODS_GONE_AT_ONCE; count++) {
        const first = Math.floor((this.#blocks.firstId(series(periodS)) ?? Number.POSITIVE_INFINITY) / CHUNKS);
        if (first > oldest) break;
        await this.#blocks.write({ deletes: [{ series: series(periodS), from: 0, until: (first + 1) * CHUNKS }] });
      }
      const left = this.#blocks.firstId(series(periodS));
      if (left !== undefined) oldestMs = Math.min(oldestMs, timeOf(left, periodS));
    }
    if (oldestMs < Number.MAX_SAFE_INTEGER) await this.#dictionary.forgetBefore(oldestMs);
  }
}

function series(periodS: number): string {
  return `p${periodS}`;
}

function timeOf(id: number, periodS: number): number {
  return Math.floor(id / CHUNKS) * periodS * 1000;
}

function metricKey({ counter, instance }: MetricId): string {
  return `${counter}:${instance}`;
}

function pair(layout: Layout, values: readonly number[]): MetricValue[] {
  return layout.map((metric, index) => ({ ...metric, value: values[index] ?? MISSING }));
}
