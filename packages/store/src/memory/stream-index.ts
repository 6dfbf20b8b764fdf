// The entries of one stream in memory, ordered by key. Where their values are is the owner's affair (V).
import type { HistoryQuery } from '../history.ts';

export interface IndexedEntry<V> {
  readonly key: number;
  readonly timeMs: number;
  readonly at: V;
}

export class StreamIndex<V> {
  /** By key. Nearly all keys come in order, so that a plain array serves. */
  #entries: IndexedEntry<V>[] = [];

  get count(): number {
    return this.#entries.length;
  }

  get lastKey(): number {
    return this.#entries.at(-1)?.key ?? 0;
  }

  /** The entry that it takes the place of. */
  put(entry: IndexedEntry<V>): IndexedEntry<V> | undefined {
    const place = entry.key > this.lastKey ? this.#entries.length : this.#firstNotBelow(entry.key);
    const before = this.#entries[place];
    if (before?.key === entry.key) {
      this.#entries[place] = entry;
      return before;
    }
    if (place === this.#entries.length) this.#entries.push(entry);
    else this.#entries.splice(place, 0, entry);
    return undefined;
  }

  find(key: number): IndexedEntry<V> | undefined {
    const entry = this.#entries[this.#firstNotBelow(key)];
    return entry?.key === key ? entry : undefined;
  }

  /** Takes away what `isGone` says; returns those. */
  remove(isGone: (entry: IndexedEntry<V>) => boolean): IndexedEntry<V>[] {
    const gone = this.#entries.filter(isGone);
    if (gone.length > 0) this.#entries = this.#entries.filter((entry) => !isGone(entry));
    return gone;
  }

  /** Takes the oldest ones away until `keep` are left; returns them. */
  trim(keep: number): IndexedEntry<V>[] {
    return this.#entries.splice(0, Math.max(0, this.#entries.length - keep));
  }

  /** The key that `keep` entries are newer than; 0 when there are not so many. */
  keyBelowNewest(keep: number): number {
    return this.#entries[this.#entries.length - keep - 1]?.key ?? 0;
  }

  page({ order, afterKey, beforeKey, fromTimeMs, toTimeMs, limit }: HistoryQuery): IndexedEntry<V>[] {
    const begin = afterKey === undefined ? 0 : this.#firstNotBelow(afterKey + 1);
    const end = beforeKey === undefined ? this.#entries.length : this.#firstNotBelow(beforeKey);
    const isForward = order === 'oldestFirst';
    const found: IndexedEntry<V>[] = [];
    for (let step = 0; step < end - begin && found.length < limit; step++) {
      const entry = this.#entries[isForward ? begin + step : end - 1 - step];
      if (!entry) break;
      if (entry.timeMs >= (fromTimeMs ?? -Infinity) && entry.timeMs <= (toTimeMs ?? Infinity)) found.push(entry);
    }
    return found;
  }

  all(): readonly IndexedEntry<V>[] {
    return [...this.#entries];
  }

  #firstNotBelow(key: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.key ?? 0) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
