// Documents in memory, as JSON text, with an ordered index over their keys.
import type { Write } from '../encode-batch.ts';
import type { Doc, Item, RangeOptions, Revision } from '../store.ts';
import { codePointOrder, SortedKeys } from './sorted-keys.ts';

interface Row {
  readonly key: string;
  readonly json: string;
  readonly revision: Revision;
}

export class DocumentTable {
  /** By `codePointOrder(key)`. */
  readonly #rows = new Map<string, Row>();
  readonly #order = new SortedKeys();
  #bytes = 0;

  /** About what keys and values take. */
  get bytes(): number {
    return this.#bytes;
  }

  get<T>(key: string): Doc<T> | undefined {
    const row = this.#rows.get(codePointOrder(key));
    return row && decode<T>(row);
  }

  /** 0 when there is none. */
  revisionOf(key: string): Revision {
    return this.#rows.get(codePointOrder(key))?.revision ?? 0;
  }

  range<T>(prefix: string, { limit = Number.POSITIVE_INFINITY, after = '' }: RangeOptions = {}): Doc<T>[] {
    const [begin, behind] = [codePointOrder(prefix), codePointOrder(after)];
    const documents: Doc<T>[] = [];
    if (limit <= 0) return documents;
    for (const place of this.#order.from(begin > behind ? begin : behind)) {
      if (place === behind) continue;
      if (!place.startsWith(begin)) break;
      const row = this.#rows.get(place);
      if (row) documents.push(decode<T>(row));
      if (documents.length >= limit) break;
    }
    return documents;
  }

  /** What the writes would add to `bytes`. */
  growth(writes: readonly Write[]): number {
    let bytes = 0;
    for (const { key, json } of writes) {
      const before = this.#rows.get(codePointOrder(key));
      bytes += (json === undefined ? 0 : sizeOf(key, json)) - (before ? sizeOf(key, before.json) : 0);
    }
    return bytes;
  }

  apply(revision: Revision, writes: readonly Write[]): void {
    this.#bytes += this.growth(writes);
    for (const { key, json } of writes) {
      const place = codePointOrder(key);
      if (json === undefined) {
        if (this.#rows.delete(place)) this.#order.delete(place);
      } else {
        if (!this.#rows.has(place)) this.#order.add(place);
        this.#rows.set(place, { key, json, revision });
      }
    }
  }

  /** As they are now, whatever changes later. */
  items(): Item[] {
    return Array.from(this.#order.from(''), (place): Item => {
      const row = this.#rows.get(place);
      return { kind: 'document', key: row?.key ?? '', json: row?.json ?? '' };
    });
  }
}

function decode<T>({ key, json, revision }: Row): Doc<T> {
  return { key, value: JSON.parse(json) as T, revision };
}

function sizeOf(key: string, json: string): number {
  return key.length + json.length;
}
