// History streams as chunks of entries. A chunk is a value of etcd; the chunks of a stream are numbered in the order of
// writing, and where two have the same entry the later one counts. Entries are indexed in memory, their values stay in the
// chunks as these were read (deflated, most of them) until somebody asks.
//
// An append writes one small chunk. When there are many, a run of neighbours is merged into the last of them; a chunk whose
// entries are all replaced or too old is dropped. So each entry is written about twice, and a stream of 50,000 events is some
// hundred keys. What is left is a function of the chunks alone: every mirror and every restart sees the same.
import type { EncodedEntry } from '../encode-entries.ts';
import type { HistoryEntry, HistoryQuery } from '../history.ts';
import { type IndexedEntry, StreamIndex } from '../memory/stream-index.ts';
import type { Item, Revision } from '../store.ts';
import { decodeChunk } from './history-chunk.ts';

/** Chunks with fewer entries are small and worth merging; so many of them are waited for. */
const SMALL = 50;
const MOST_SMALL = 64;
/** A merged chunk has about so many entries or bytes. */
export const MERGED_ENTRIES = 200;
const MERGED_BYTES = 256 << 10;
/** Entries beyond what is kept before chunks are dropped, and chunks dropped at once. */
const SLACK = 100;
const MOST_DROPPED = 50;
/** Decoded chunks that are remembered: those that pages are read from. */
const MOST_DECODED = 32;

interface Chunk {
  readonly number: number;
  readonly value: Buffer;
  readonly revision: Revision;
  readonly count: number;
  readonly greatestKey: number;
  /** Entries that no later chunk has. */
  live: number;
}

interface Slot {
  readonly chunk: Chunk;
  readonly line: number;
}

interface Stream {
  readonly index: StreamIndex<Slot>;
  /** By number, ascending. */
  readonly chunks: Map<number, Chunk>;
  small: number;
  lastNumber: number;
}

export type Upkeep =
  | { readonly kind: 'drop'; readonly numbers: readonly number[] }
  | {
      readonly kind: 'merge';
      readonly first: number;
      /** Takes all of them in; must still be of that revision. */
      readonly last: number;
      readonly lastRevision: Revision;
      readonly entries: readonly EncodedEntry[];
    };

export class ChunkedHistory {
  readonly #streams = new Map<string, Stream>();
  readonly #decoded = new Map<Chunk, readonly string[]>();

  putChunk(name: string, number: number, value: Buffer, revision: Revision): void {
    const stream = this.#streams.get(name) ?? {
      index: new StreamIndex<Slot>(),
      chunks: new Map(),
      small: 0,
      lastNumber: 0,
    };
    this.#streams.set(name, stream);
    const { heads } = decodeChunk(value);
    const greatestKey = heads.reduce((greatest, [key]) => Math.max(greatest, key), 0);
    const chunk: Chunk = { number, value, revision, count: heads.length, greatestKey, live: 0 };
    const replaced = stream.chunks.get(number);
    for (const [line, [key, timeMs]] of heads.entries()) {
      const there = stream.index.find(key);
      if (there && there.at.chunk.number > number) continue;
      if (there) there.at.chunk.live -= 1;
      stream.index.put({ key, timeMs, at: { chunk, line } });
      chunk.live += 1;
    }
    if (replaced) this.#forget(stream, replaced);
    stream.chunks.set(number, chunk);
    if (chunk.count < SMALL) stream.small += 1;
    stream.lastNumber = Math.max(stream.lastNumber, number);
  }

  deleteChunk(name: string, number: number): void {
    const stream = this.#streams.get(name);
    const chunk = stream?.chunks.get(number);
    if (!stream || !chunk) return;
    this.#forget(stream, chunk);
    stream.chunks.delete(number);
    if (stream.index.count === 0) this.#streams.delete(name);
  }

  /** Greater than that of any chunk of the stream; 1 for the first. */
  nextNumber(name: string): number {
    return (this.#streams.get(name)?.lastNumber ?? 0) + 1;
  }

  /** What should be done to the stream's chunks next, if anything. */
  planUpkeep(name: string, keep: number): Upkeep | undefined {
    const stream = this.#streams.get(name);
    if (!stream) return undefined;
    if (stream.index.count > keep + SLACK) {
      const oldest = stream.index.keyBelowNewest(keep);
      const numbers = chunkNumbers(stream, ({ live, greatestKey }) => live === 0 || greatestKey <= oldest);
      if (numbers.length > 0) return { kind: 'drop', numbers };
    }
    if (stream.small < MOST_SMALL) return undefined;
    const dead = chunkNumbers(stream, ({ live }) => live === 0);
    if (dead.length > MOST_SMALL / 4) return { kind: 'drop', numbers: dead };
    return this.#planMerge(stream);
  }

  page<T>(name: string, query: HistoryQuery): HistoryEntry<T>[] {
    const found = this.#streams.get(name)?.index.page(query) ?? [];
    return found.map((entry) => ({
      key: entry.key,
      timeMs: entry.timeMs,
      value: JSON.parse(this.#jsonOf(entry)) as T,
    }));
  }

  lastKey(name: string): number {
    return this.#streams.get(name)?.index.lastKey ?? 0;
  }

  count(name: string): number {
    return this.#streams.get(name)?.index.count ?? 0;
  }

  streams(): string[] {
    return [...this.#streams.keys()].sort();
  }

  /** As they are now, whatever changes later; values are decoded as they are read. */
  items(): Iterable<Item> {
    const all = this.streams().map((name) => ({ name, entries: this.#streams.get(name)?.index.all() ?? [] }));
    return this.#read(all);
  }

  *#read(all: readonly { name: string; entries: readonly IndexedEntry<Slot>[] }[]): Generator<Item> {
    for (const { name, entries } of all) {
      for (const entry of entries) {
        yield { kind: 'entry', stream: name, key: entry.key, timeMs: entry.timeMs, json: this.#jsonOf(entry) };
      }
    }
  }

  /** The oldest run of neighbours that makes a good chunk. */
  #planMerge({ chunks, index }: Stream): Upkeep | undefined {
    let run: Chunk[] = [];
    let entries = 0;
    let size = 0;
    for (const chunk of chunks.values()) {
      if (chunk.count >= SMALL || chunk.value.length >= MERGED_BYTES) {
        if (run.length > 1) break;
        [run, entries, size] = [[], 0, 0];
        continue;
      }
      run.push(chunk);
      entries += chunk.live;
      size += chunk.value.length;
      if (entries >= MERGED_ENTRIES || size >= MERGED_BYTES) break;
    }
    const [first, last] = [run[0], run.at(-1)];
    if (!first || !last || first === last) return undefined;
    const merged: EncodedEntry[] = [];
    for (const chunk of run) {
      const { heads, values } = decodeChunk(chunk.value);
      for (const [line, [key, timeMs]] of heads.entries()) {
        const at = index.find(key)?.at;
        if (at?.chunk === chunk && at.line === line) merged.push({ key, timeMs, json: values[line] ?? 'null' });
      }
    }
    return { kind: 'merge', first: first.number, last: last.number, lastRevision: last.revision, entries: merged };
  }

  #jsonOf({ at: { chunk, line } }: IndexedEntry<Slot>): string {
    let values = this.#decoded.get(chunk);
    if (values)
      this.#decoded.delete(chunk); // and put back behind the others
    else values = decodeChunk(chunk.value).values;
    this.#decoded.set(chunk, values);
    for (const [oldest] of this.#decoded) {
      if (this.#decoded.size <= MOST_DECODED) break;
      this.#decoded.delete(oldest);
    }
    return values[line] ?? 'null';
  }

  /** The entries that are only in this chunk go with it. */
  #forget(stream: Stream, chunk: Chunk): void {
    if (chunk.live > 0) stream.index.remove(({ at }) => at.chunk === chunk);
    if (chunk.count < SMALL) stream.small -= 1;
    this.#decoded.delete(chunk);
  }
}

function chunkNumbers({ chunks }: Stream, isWanted: (chunk: Chunk) => boolean): number[] {
  return [...chunks.values()]
    .filter(isWanted)
    .slice(0, MOST_DROPPED)
    .map(({ number }) => number);
}
