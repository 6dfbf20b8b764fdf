// The XML of property values, kept while it is in use. Values in the graph are never mutated, so a value's identity is
// its version: the key is the value itself, and what was replaced is forgotten with it.
import { type ApiVersion, box, encodeValue, schema, type TypeRef } from '@vivarium/vim';

interface Fragment {
  readonly type: string;
  readonly rank: number;
  readonly xml: string;
  readonly older: Fragment | undefined;
}

interface Generation {
  readonly fragments: WeakMap<object, Fragment>;
  /** Characters put into it; some may be gone with their values. */
  length: number;
}

/** Shorter values are made anew faster than they are found. */
const MIN_LENGTH = 256;

/** When there is no room, the oldest of these goes as a whole. */
const GENERATIONS = 4;

export class FragmentCache {
  readonly #maxLength: number;
  /** Newest first. */
  #generations: readonly Generation[] = [emptyGeneration()];
  /** Characters found since something had to go. */
  #foundLength = 0;
  /** Characters that will not be kept: clients walk over more than there is room for, and keeping would only churn. */
  #refusedLength = 0;

  /** @param maxLength characters kept at most, about; most are one byte each */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** `<val xsi:type="…">…</val>` of a value with this declared type, for a client of this version rank. */
  encode(type: TypeRef, value: unknown, rank: number): string {
    if (typeof value !== 'object' || value === null) return encode(type, value, rank);
    for (const { fragments } of this.#generations) {
      const known = find(fragments.get(value), type, rank);
      if (known === undefined) continue;
      this.#foundLength += known.length;
      return known;
    }
    const xml = encode(type, value, rank);
    if (xml.length >= MIN_LENGTH) this.#keep(value, type, rank, xml);
    return xml;
  }

  #keep(value: object, type: TypeRef, rank: number, xml: string): void {
    if (this.#refusedLength > 0) {
      this.#refusedLength -= xml.length;
      return;
    }
    const [newest = emptyGeneration()] = this.#generations;
    newest.fragments.set(value, { type: nameOf(type), rank, xml: flat(xml), older: newest.fragments.get(value) });
    newest.length += xml.length;
    if (newest.length > this.#maxLength / GENERATIONS) this.#startGeneration();
  }

  #startGeneration(): void {
    if (this.#generations.length === GENERATIONS) {
      if (this.#foundLength < this.#maxLength / GENERATIONS) this.#refusedLength = this.#maxLength;
      this.#foundLength = 0;
    }
    this.#generations = [emptyGeneration(), ...this.#generations.slice(0, GENERATIONS - 1)];
  }
}

function emptyGeneration(): Generation {
  return { fragments: new WeakMap(), length: 0 };
}

function find(newest: Fragment | undefined, type: TypeRef, rank: number): string | undefined {
  for (let fragment = newest; fragment; fragment = fragment.older) {
    if (fragment.rank === rank && fragment.type === nameOf(type)) return fragment.xml;
  }
  return undefined;
}

/** The same object may stand under two paths with different types: an empty array does. */
function nameOf(type: TypeRef): string {
  return type.array ? `${type.type}[]` : type.type;
}

function encode(type: TypeRef, value: unknown, rank: number): string {
  return encodeValue('val', 'any', box(type, value), versionOf(rank));
}

function versionOf(rank: number): ApiVersion {
  const version = schema.versions[schema.versions.length - 1 - rank] ?? schema.versions[0];
  if (version === undefined) throw new RangeError('the schema has no versions');
  return version;
}

/** V8 keeps a concatenated string as a tree of its parts until somebody looks into it; kept strings should be flat. */
function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}
