// The XML of property values, kept as bytes while there is room. Values in the graph are never mutated, so a value's identity
// is its version: the key is the value itself, and what was replaced is forgotten with it.
import { type EncodedSink, encodeUnderAny, type TypeRef } from '@vivarium/vim';
import { type Piece, put, type Slab, type Slabs } from './slabs.ts';

interface Fragment {
  readonly type: string;
  readonly isArray: boolean;
  readonly rank: number;
  readonly slab: Slab;
  readonly from: number;
  readonly to: number;
  /** Of the same value for another version or type. */
  readonly older: Fragment | undefined;
}

/** Shorter values are made anew faster than they are found. */
const MIN_LENGTH = 256;

export class FragmentCache {
  readonly #slabs: Slabs;
  readonly #fragments = new WeakMap<object, Fragment>();

  constructor(slabs: Slabs) {
    this.#slabs = slabs;
  }

  /** Writes `<val xsi:type="…">…</val>` of a value with this declared type, for a client of this version rank. */
  write(type: TypeRef, value: unknown, rank: number, sink: EncodedSink): void {
    this.send(this.formOf(type, value, rank), type, value, rank, sink);
  }

  /** The same, to be sent: bytes where it is known, else the text. */
  formOf(type: TypeRef, value: unknown, rank: number): Piece | string {
    return this.#find(type, value, rank) ?? encodeUnderAny('val', type, value, rank);
  }

  /** Writes what `formOf` gave, and keeps it. */
  send(form: Piece | string, type: TypeRef, value: unknown, rank: number, sink: EncodedSink): void {
    if (typeof form !== 'string') return sink.bytes(form.bytes, form.from, form.to);
    const slab = isWorthKeeping(form, value) ? this.#slabs.room(form.length) : undefined;
    const places = slab && put(slab, [form]);
    if (!slab?.bytes || !places) return sink.text(form);
    const [from = 0, to = 0] = places;
    this.note(type, value, rank, { slab, from, to });
    sink.bytes(slab.bytes, from, to);
  }

  /** Says where that form of a value lies from now on. */
  note(
    type: TypeRef,
    value: unknown,
    rank: number,
    place: { readonly slab: Slab; readonly from: number; readonly to: number },
  ): void {
    if (typeof value !== 'object' || value === null) return;
    const older = others(this.#fragments.get(value), type, rank);
    this.#fragments.set(value, { type: type.type, isArray: type.array, rank, ...place, older });
  }

  #find(type: TypeRef, value: unknown, rank: number): Piece | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    for (let fragment = this.#fragments.get(value); fragment; fragment = fragment.older) {
      if (!isOf(fragment, type, rank)) continue;
      const { slab, from, to } = fragment;
      if (slab.bytes === undefined) return undefined;
      this.#slabs.found(to - from);
      return { bytes: slab.bytes, from, to };
    }
    return undefined;
  }
}

/** Whether the form of a value is found faster than it is made. */
export function isWorthKeeping(form: Piece | string, value: unknown): boolean {
  return typeof value === 'object' && (typeof form !== 'string' || form.length >= MIN_LENGTH);
}

/** The same object may stand under two paths with different types: an empty array does. */
function isOf(fragment: Fragment, type: TypeRef, rank: number): boolean {
  return fragment.rank === rank && fragment.type === type.type && fragment.isArray === type.array;
}

/** Without that form of the value, and without what was given up. */
function others(fragment: Fragment | undefined, type: TypeRef, rank: number): Fragment | undefined {
  if (fragment === undefined) return undefined;
  const older = others(fragment.older, type, rank);
  if (fragment.slab.bytes === undefined || isOf(fragment, type, rank)) return older;
  return older === fragment.older ? fragment : { ...fragment, older };
}
