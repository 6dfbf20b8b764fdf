// The scrollable view and the latest page of a history collector. Pure but for its position and the history it reads.
//
// vSphere API, HistoryCollector: a new collector stands before its oldest item; RewindCollector goes there again,
// ResetCollector goes before the latest page, so that reading backwards continues where that page ends.
import type { History, HistoryEntry } from '@vivarium/store';

export const MOST_ITEMS = 1000;
export const DEFAULT_PAGE = 10;
const SCAN = 500;

export class HistoryCursor<T> {
  readonly #history: History;
  readonly #stream: string;
  readonly #matches: (value: T) => boolean;
  readonly #startKey: number;
  /** Keys up to here are behind the view, later ones ahead of it. */
  #position: number;

  /** Items of the stream for which `matches`; `startKey` = the newest items older than that key are not seen at all. */
  constructor(history: History, stream: string, matches: (value: T) => boolean, startKey = 0) {
    this.#history = history;
    this.#stream = stream;
    this.#matches = matches;
    this.#startKey = startKey;
    this.#position = startKey;
  }

  /** The next newer items, oldest first. */
  readNext(count: number): T[] {
    const found = this.#scan('oldestFirst', this.#position, count);
    this.#position = found.at(-1)?.key ?? this.#position;
    return found.map(({ value }) => value);
  }

  /** The next older items, newest first. */
  readPrevious(count: number): T[] {
    const found = this.#scan('newestFirst', this.#position + 1, count);
    const oldest = found.at(-1);
    if (oldest) this.#position = oldest.key - 1;
    return found.map(({ value }) => value);
  }

  rewind(): void {
    this.#position = this.#startKey;
  }

  reset(pageSize: number): void {
    const oldest = this.#scan('newestFirst', Number.MAX_SAFE_INTEGER, pageSize).at(-1);
    this.#position = oldest ? oldest.key - 1 : this.#startKey;
  }

  /** The newest items, newest first. */
  latest(count: number): T[] {
    return this.#scan('newestFirst', Number.MAX_SAFE_INTEGER, count).map(({ value }) => value);
  }

  #scan(order: 'oldestFirst' | 'newestFirst', from: number, count: number): HistoryEntry<T>[] {
    const found: HistoryEntry<T>[] = [];
    for (let edge = from; found.length < count; ) {
      const bounds =
        order === 'oldestFirst'
          ? { afterKey: edge }
          : { beforeKey: edge, ...(this.#startKey > 0 && { afterKey: this.#startKey }) };
      const page = this.#history.page<T>(this.#stream, { order, ...bounds, limit: SCAN });
      found.push(...page.filter(({ value }) => this.#matches(value)));
      const last = page.at(-1);
      if (!last || page.length < SCAN) break;
      edge = last.key;
    }
    return found.slice(0, count);
  }
}
