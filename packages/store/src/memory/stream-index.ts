// The entries of one stream in memory, ordered by key. Where their values are is the owner's affair (V).
import type { HistoryQuery } from '../history.ts';

export interface IndexedEntry<V> {
  readonly key: number;
  readonly timeMs: number;
  readonly at: V;
}

/** One of so many entries may be gone before the array is made anew. */
const MOST_GONE = 16;

export class StreamIndex<V> {
  /** By key. Nearly all keys come in order, so that a plain array serves. */
  #entries: IndexedEntry<V>[] = [];
  /** Entries at the beginning that are gone: taken out one by one, each would move all others. */
  #gone = 0;

  get count(): number {
    return this.#entries.length - this.#gone;
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
    const all = this.all();
    const gone = all.filter(isGone);
    if (gone.length === 0) return gone;
    this.#entries = all.filter((entry) => !isGone(entry));
    this.#gone = 0;
    return gone;
  }

  /** Takes the oldest ones away until `keep` are left; returns them. */
  trim(keep: number): IndexedEntry<V>[] {
    const end = Math.max(this.#gone, this.#entries.length - keep);
    const gone = this.#entries.slice(this.#gone, end);
    this.#gone = end;
    if (this.#gone * MOST_GONE > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#gone);
      this.#gone = 0;
    }
    return gone;
  }

  /** The key that `keep` entries are newer than; 0 when there are not so many. */
  keyBelowNewest(keep: number): number {
    const place = this.#entries.length - keep - 1;
    return place < this.#gone ? 0 : (this.#entries[place]?.key ?? 0);
  }

  page({ order, afterKey, beforeKey, fromTimeMs, toTimeMs, limit }: HistoryQuery): IndexedEntry<V>[] {
    const begin = afterKey === undefined ? this.#gone : this.#firstNotBelow(afterKey + 1);
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
    return this.#entries.slice(this.#gone);
  }

  #firstNotBelow(key: number): number {
    let [low, high] = [this.#gone, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.key ?? 0) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
