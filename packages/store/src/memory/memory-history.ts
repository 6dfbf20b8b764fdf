// History streams in memory.
import type { EncodedEntry } from '../encode-entries.ts';
import type { EngineHistory, Guard } from '../engine.ts';
import type { GroupCommit } from '../group-commit.ts';
import type { HistoryEntry, HistoryQuery } from '../history.ts';
import type { Item } from '../store.ts';
import { StreamIndex } from './stream-index.ts';

export class MemoryHistory implements EngineHistory {
  readonly #writer: GroupCommit;
  readonly #refusal: (guard: Guard) => Error | undefined;
  #streams = new Map<string, StreamIndex<string>>();

  constructor(writer: GroupCommit, refusal: (guard: Guard) => Error | undefined) {
    this.#writer = writer;
    this.#refusal = refusal;
  }

  append(stream: string, entries: readonly EncodedEntry[], keep: number, guard: Guard): Promise<void> {
    return this.#writer.submit(() => {
      const refused = this.#refusal(guard);
      if (refused) return refused;
      const index = this.#indexOf(stream);
      for (const { key, timeMs, json } of entries) index.put({ key, timeMs, at: json });
      index.trim(keep);
      return () => {};
    });
  }

  page<T>(stream: string, query: HistoryQuery): HistoryEntry<T>[] {
    const entries = this.#streams.get(stream)?.page(query) ?? [];
    return entries.map(({ key, timeMs, at }) => ({ key, timeMs, value: JSON.parse(at) as T }));
  }

  lastKey(stream: string): number {
    return this.#streams.get(stream)?.lastKey ?? 0;
  }

  count(stream: string): number {
    return this.#streams.get(stream)?.count ?? 0;
  }

  streams(): string[] {
    return [...this.#streams.keys()].sort();
  }

  items(): Item[] {
    return this.streams().flatMap((stream) =>
      (this.#streams.get(stream)?.all() ?? []).map(
        ({ key, timeMs, at }): Item => ({ kind: 'entry', stream, key, timeMs, json: at }),
      ),
    );
  }

  /** Takes the place of all entries, now. */
  replace(items: readonly Item[]): void {
    this.#streams = new Map();
    for (const item of items) {
      if (item.kind !== 'entry') continue;
      this.#indexOf(item.stream).put({ key: item.key, timeMs: item.timeMs, at: item.json });
    }
  }

  #indexOf(stream: string): StreamIndex<string> {
    const index = this.#streams.get(stream) ?? new StreamIndex<string>();
    this.#streams.set(stream, index);
    return index;
  }
}
