// The names that blocks are written in: numbers for entities and for lists of metrics, kept in the same store. A number is
// given once and means the same for as long as anything may use it.
import type { Block, BlockStore } from '@vivarium/store';
import type { MetricId } from './metric.ts';

const ENTITIES = 'entities';
const LAYOUTS = 'layouts';
const ALL = { from: 0, until: Number.MAX_SAFE_INTEGER };
const DAY_MS = 86_400_000;

export type Layout = readonly MetricId[];

/** A name that is not on disk yet. */
export interface DictionaryEntry {
  readonly series: string;
  readonly block: Block;
}

interface Entity {
  readonly id: number;
  /** The day (since the epoch) on which it was last written; lets entities that are gone be forgotten. */
  seenDay: number;
}

export class ArchiveDictionary {
  readonly #blocks: BlockStore;
  readonly #entities = new Map<string, Entity>();
  readonly #names = new Map<number, string>();
  readonly #layouts: (Layout | undefined)[] = [];
  readonly #layoutIds = new Map<string, number>();
  #nextEntity = 0;
  readonly #unwritten = new Map<string, DictionaryEntry>();
  #forgottenDay = 0;

  constructor(blocks: BlockStore) {
    this.#blocks = blocks;
    for (const { id, bytes } of blocks.range(ENTITIES, ALL)) {
      const [seenDay, name] = JSON.parse(text(bytes)) as [number, string];
      this.#entities.set(name, { id, seenDay });
      this.#names.set(id, name);
      this.#nextEntity = id + 1;
    }
    for (const { id, bytes } of blocks.range(LAYOUTS, ALL)) this.#learn(id, text(bytes));
  }

  /** Number of an entity that may have figures. */
  findEntity(name: string): number | undefined {
    return this.#entities.get(name)?.id;
  }

  nameOf(entity: number): string | undefined {
    return this.#names.get(entity);
  }

  layout(id: number): Layout {
    return this.#layouts[id] ?? [];
  }

  /** Number of an entity that gets a figure of `timeMs`. */
  entity(name: string, timeMs: number): number {
    const day = Math.floor(timeMs / DAY_MS);
    let entity = this.#entities.get(name);
    if (!entity) {
      entity = { id: this.#nextEntity, seenDay: -1 };
      this.#nextEntity += 1;
      this.#entities.set(name, entity);
      this.#names.set(entity.id, name);
    }
    if (day > entity.seenDay) {
      entity.seenDay = day;
      this.#note(ENTITIES, entity.id, JSON.stringify([day, name]));
    }
    return entity.id;
  }

  layoutId(metrics: Layout): number {
    const written = JSON.stringify(metrics.map(({ counter, instance }) => [counter, instance]));
    const known = this.#layoutIds.get(written);
    if (known !== undefined) return known;
    const id = this.#layouts.length;
    this.#learn(id, written);
    this.#note(LAYOUTS, id, written);
    return id;
  }

  /** What has to be written before the blocks that use it. */
  unwritten(): DictionaryEntry[] {
    return [...this.#unwritten.values()];
  }

  written(entries: readonly DictionaryEntry[]): void {
    for (const entry of entries) {
      const key = `${entry.series} ${entry.block.id}`;
      if (this.#unwritten.get(key) === entry) this.#unwritten.delete(key);
    }
  }

  /** Forgets entities that had no figure since `timeMs`: no block has one of theirs any more. */
  async forgetBefore(timeMs: number): Promise<void> {
    const day = Math.floor(timeMs / DAY_MS);
    if (day <= this.#forgottenDay) return;
    this.#forgottenDay = day;
    const gone = [...this.#entities].filter(([, { seenDay }]) => seenDay < day);
    if (gone.length === 0) return;
    await this.#blocks.write({
      deletes: gone.map(([, { id }]) => ({ series: ENTITIES, from: id, until: id + 1 })),
    });
    for (const [name, { id }] of gone) {
      this.#entities.delete(name);
      this.#names.delete(id);
    }
  }

  #note(series: string, id: number, written: string): void {
    this.#unwritten.set(`${series} ${id}`, { series, block: { id, bytes: Buffer.from(written) } });
  }

  #learn(id: number, written: string): void {
    const metrics = (JSON.parse(written) as [number, string][]).map(([counter, instance]) => ({ counter, instance }));
    this.#layouts[id] = metrics;
    this.#layoutIds.set(written, id);
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
