// The XML of property values, kept while it is in use. Values in the graph are never mutated, so a value's identity is
// its version: the key is the value itself, and what was replaced is forgotten with it.
import { type ApiVersion, box, encodeValue, schema, type TypeRef } from '@vivarium/vim';

interface Fragment {
  readonly type: string;
  readonly rank: number;
  readonly xml: string;
  readonly older: Fragment | undefined;
}

/** Shorter values are made anew faster than they are found. */
const MIN_LENGTH = 256;

export class FragmentCache {
  readonly #maxLength: number;
  #young = new WeakMap<object, Fragment>();
  #old = new WeakMap<object, Fragment>();
  #youngLength = 0;

  /** @param maxLength characters kept at most, about; most are one byte each */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** `<val xsi:type="…">…</val>` of a value with this declared type, for a client of this version rank. */
  encode(type: TypeRef, value: unknown, rank: number): string {
    if (typeof value !== 'object' || value === null) return encode(type, value, rank);
    const known = find(this.#young.get(value), type, rank);
    if (known !== undefined) return known.xml;
    const xml = find(this.#old.get(value), type, rank)?.xml ?? encode(type, value, rank);
    if (xml.length >= MIN_LENGTH) this.#keep(value, type, rank, xml);
    return xml;
  }

  /** Two generations: what was not asked for while one filled up goes. */
  #keep(value: object, type: TypeRef, rank: number, xml: string): void {
    if (this.#youngLength + xml.length > this.#maxLength / 2) {
      this.#old = this.#young;
      this.#young = new WeakMap();
      this.#youngLength = 0;
    }
    this.#youngLength += xml.length;
    this.#young.set(value, { type: nameOf(type), rank, xml: flat(xml), older: this.#young.get(value) });
  }
}

function find(newest: Fragment | undefined, type: TypeRef, rank: number): Fragment | undefined {
  for (let fragment = newest; fragment; fragment = fragment.older) {
    if (fragment.rank === rank && fragment.type === nameOf(type)) return fragment;
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
