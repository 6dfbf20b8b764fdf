// The XML of whole objects in answers about many of them, kept as bytes while there is room. What clients ask for again and again
// lies as it was sent, one object behind the other, so that it is sent again in long pieces. A kept element is as good as the
// values that it was made of: it is sent for exactly these.
import type { EncodedSink, MoRef, TypeRef } from '@vivarium/vim';
import { type FragmentCache, isWorthKeeping } from './fragment-cache.ts';
import { type Piece, put, type Slab, type Slabs } from './slabs.ts';

/** What an element is made of. */
export interface ElementSink {
  text(piece: string): void;
  /** `<val xsi:type="…">…</val>` */
  value(type: TypeRef, value: unknown): void;
}

interface Element {
  readonly slab: Slab;
  /** Of its values in the slab's sources. */
  readonly source: number;
  readonly from: number;
  readonly to: number;
  /** How many before it were replaced without ever having been sent again. */
  readonly wasted: number;
  wasSentAgain: boolean;
  /** So many times will others be sent in its place without being kept. */
  skips: number;
}

/** Selections that are known at once; the one that was not asked for longest is forgotten. */
const MOST_SELECTIONS = 32;
/** After so many wasted ones every 2^6th is kept, to see whether that has changed. */
const MOST_WASTED = 6;

export class ElementCache {
  readonly #slabs: Slabs;
  readonly #fragments: FragmentCache;
  /** Longest unused first. */
  readonly #selections = new Map<string, Selection>();

  constructor(slabs: Slabs, fragments: FragmentCache) {
    this.#slabs = slabs;
    this.#fragments = fragments;
  }

  /** The elements of objects with these property paths, for clients of this version rank. */
  selection(paths: readonly string[], rank: number): Selection {
    const key = [rank, ...paths].join('\n');
    const selection = this.#selections.get(key) ?? new Selection(this.#slabs, this.#fragments, rank);
    this.#selections.delete(key);
    this.#selections.set(key, selection);
    if (this.#selections.size > MOST_SELECTIONS) {
      const [oldest = key] = this.#selections.keys();
      this.#selections.delete(oldest);
    }
    return selection;
  }
}

export class Selection {
  readonly #slabs: Slabs;
  readonly #fragments: FragmentCache;
  readonly #rank: number;
  readonly #byTag = new Map<string, WeakMap<MoRef, Element>>();

  constructor(slabs: Slabs, fragments: FragmentCache, rank: number) {
    this.#slabs = slabs;
    this.#fragments = fragments;
    this.#rank = rank;
  }

  /** Writes the element `<tag>…</tag>` of an object with these values; `make` makes it where it is not known. */
  write(
    tag: string,
    obj: MoRef,
    values: readonly unknown[],
    make: (out: ElementSink) => void,
    sink: EncodedSink,
  ): void {
    const elements = this.#elements(tag);
    const known = elements.get(obj);
    if (known?.slab.bytes && areSame(known.slab.sources[known.source], values)) {
      known.wasSentAgain = true;
      this.#slabs.found(known.to - known.from);
      return sink.bytes(known.slab.bytes, known.from, known.to);
    }
    const draft = new Draft(this.#fragments, this.#rank);
    make(draft);
    const isWasted = known?.slab.bytes !== undefined && !known.wasSentAgain;
    const isSkipped = isWasted && known.skips-- > 0;
    const place = isSkipped ? undefined : draft.keepIn(this.#slabs);
    if (place === undefined) return draft.writeTo(sink);
    const { slab, bytes, from, to } = place;
    const source = slab.sources.push(values) - 1;
    const wasted = isWasted ? Math.min(known.wasted + 1, MOST_WASTED) : 0;
    elements.set(obj, { slab, source, from, to, wasted, wasSentAgain: false, skips: 2 ** wasted - 1 });
    sink.bytes(bytes, from, to);
  }

  #elements(tag: string): WeakMap<MoRef, Element> {
    let elements = this.#byTag.get(tag);
    if (!elements) this.#byTag.set(tag, (elements = new WeakMap()));
    return elements;
  }
}

function areSame(before: readonly unknown[] | undefined, after: readonly unknown[]): boolean {
  if (before?.length !== after.length) return false;
  for (let index = 0; index < after.length; index++) {
    if (before[index] !== after[index]) return false;
  }
  return true;
}

/** An element that is being made. */
class Draft implements ElementSink {
  readonly #fragments: FragmentCache;
  readonly #rank: number;
  readonly #parts: (string | Piece)[] = [];
  #text = '';
  #length = 0;
  /** Values whose forms are parts, by the number of the part. */
  readonly #values = new Map<number, { readonly type: TypeRef; readonly value: unknown }>();

  constructor(fragments: FragmentCache, rank: number) {
    this.#fragments = fragments;
    this.#rank = rank;
  }

  text(piece: string): void {
    this.#text += piece;
  }

  value(type: TypeRef, value: unknown): void {
    const form = this.#fragments.formOf(type, value, this.#rank);
    if (typeof form === 'string' && !isWorthKeeping(form, value)) {
      this.#text += form;
      return;
    }
    this.#endText();
    this.#values.set(this.#parts.length, { type, value });
    this.#add(form);
  }

  /** Puts the element into a slab; the forms of its values are there from now on. Undefined: nothing is kept now. */
  keepIn(
    slabs: Slabs,
  ): { readonly slab: Slab; readonly bytes: Buffer; readonly from: number; readonly to: number } | undefined {
    this.#endText();
    const slab = slabs.room(this.#length);
    const places = slab && put(slab, this.#parts);
    if (!slab?.bytes || !places) return undefined;
    for (const [part, { type, value }] of this.#values) {
      const [from = 0, to = 0] = places.slice(part, part + 2);
      this.#fragments.note(type, value, this.#rank, { slab, from, to });
    }
    return { slab, bytes: slab.bytes, from: places[0] ?? 0, to: slab.used };
  }

  /** As if it were no element: what is worth keeping of it are its values. */
  writeTo(sink: EncodedSink): void {
    this.#endText();
    for (const [index, part] of this.#parts.entries()) {
      const known = this.#values.get(index);
      if (known) this.#fragments.send(part, known.type, known.value, this.#rank, sink);
      else sink.text(String(part));
    }
  }

  #endText(): void {
    if (this.#text === '') return;
    this.#add(this.#text);
    this.#text = '';
  }

  #add(part: string | Piece): void {
    this.#parts.push(part);
    this.#length += typeof part === 'string' ? part.length : part.to - part.from;
  }
}
