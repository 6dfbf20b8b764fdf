// The XML of property values, kept as bytes while there is room. Values in the graph are never mutated, so a value's identity
// is its version: the key is the value itself, and what was replaced is forgotten with it.
//
// The bytes lie one after the other in slabs outside of the JavaScript heap: they cost no garbage collection and exactly what
// the limit says. When there is no room, the oldest slab is given up as a whole. A slab is a SharedArrayBuffer, though nobody shares
// it: V8 begins to collect everything for every 64 MB of other buffers, which takes a second when there are 45,000 VMs.
import { type EncodedSink, encodeUnderAny, type TypeRef } from '@vivarium/vim';

interface Slab {
  /** Undefined when it was given up. */
  bytes: Uint8Array | undefined;
  used: number;
}

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
const SLAB_BYTES = 1 << 20;
/** There are at least so many, so that giving one up does not empty the cache. */
const LEAST_SLABS = 8;

export class FragmentCache {
  readonly #maxBytes: () => number;
  readonly #fragments = new WeakMap<object, Fragment>();
  /** Oldest first; all but the last are full. */
  readonly #slabs: Slab[] = [];
  #allocatedBytes = 0;
  /** Bytes found since a slab was given up. */
  #foundBytes = 0;
  /** Bytes that will not be kept: clients walk over more than there is room for, and keeping would only churn. */
  #refusedBytes = 0;
  readonly #encoder = new TextEncoder();

  /** @param maxBytes kept at most; asked for whenever more is needed, as it may follow what there is to keep */
  constructor(maxBytes: () => number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are held, used or not. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /** Writes `<val xsi:type="…">…</val>` of a value with this declared type, for a client of this version rank. */
  write(type: TypeRef, value: unknown, rank: number, sink: EncodedSink): void {
    if (typeof value !== 'object' || value === null) {
      sink.text(encodeUnderAny('val', type, value, rank));
      return;
    }
    const known = this.#find(value, type, rank) ?? this.#make(value, type, rank, sink);
    if (known?.slab.bytes) sink.bytes(known.slab.bytes, known.from, known.to);
  }

  #find(value: object, type: TypeRef, rank: number): Fragment | undefined {
    for (let fragment = this.#fragments.get(value); fragment; fragment = fragment.older) {
      // The same object may stand under two paths with different types: an empty array does.
      if (fragment.rank !== rank || fragment.type !== type.type || fragment.isArray !== type.array) continue;
      if (fragment.slab.bytes === undefined) return undefined;
      this.#foundBytes += fragment.to - fragment.from;
      return fragment;
    }
    return undefined;
  }

  /** The fragment, or undefined when it is not kept: then it has been written. */
  #make(value: object, type: TypeRef, rank: number, sink: EncodedSink): Fragment | undefined {
    const xml = encodeUnderAny('val', type, value, rank);
    const room = xml.length < MIN_LENGTH ? undefined : this.#room(xml.length);
    if (room === undefined) {
      sink.text(xml);
      return undefined;
    }
    const { slab, bytes } = room;
    const { read, written } = this.#encoder.encodeInto(xml, slab.used === 0 ? bytes : bytes.subarray(slab.used));
    if (read < xml.length) {
      // Not ASCII, and at the very end of a slab: the next one will have it.
      slab.used = bytes.length;
      sink.text(xml);
      return undefined;
    }
    const from = slab.used;
    slab.used += written;
    const older = intact(this.#fragments.get(value));
    const fragment = { type: type.type, isArray: type.array, rank, slab, from, to: slab.used, older };
    this.#fragments.set(value, fragment);
    return fragment;
  }

  /** A slab with room for so many bytes; undefined when nothing is kept now. */
  #room(length: number): { readonly slab: Slab; readonly bytes: Uint8Array } | undefined {
    if (this.#refusedBytes > 0) {
      this.#refusedBytes -= length;
      return undefined;
    }
    const last = this.#slabs.at(-1);
    if (last?.bytes && last.bytes.length - last.used >= length) return { slab: last, bytes: last.bytes };
    // A long list may need more than a slab, and more bytes than characters.
    const maxBytes = this.#maxBytes();
    const slabBytes = Math.min(SLAB_BYTES, Math.floor(maxBytes / LEAST_SLABS));
    const size = length > slabBytes / 2 ? length + (length >> 3) : slabBytes;
    if (size > maxBytes / 2) return undefined;
    while (this.#allocatedBytes + size > maxBytes) this.#giveUpOldest();
    const bytes = new Uint8Array(new SharedArrayBuffer(size));
    const slab = { bytes, used: 0 };
    this.#slabs.push(slab);
    this.#allocatedBytes += size;
    return { slab, bytes };
  }

  #giveUpOldest(): void {
    const oldest = this.#slabs.shift();
    if (oldest?.bytes === undefined) return;
    const size = oldest.bytes.length;
    this.#allocatedBytes -= size;
    oldest.bytes = undefined;
    if (this.#foundBytes < size) this.#refusedBytes = this.#maxBytes();
    this.#foundBytes = 0;
  }
}

/** Without what was given up. */
function intact(fragment: Fragment | undefined): Fragment | undefined {
  if (fragment === undefined) return undefined;
  const older = intact(fragment.older);
  if (fragment.slab.bytes === undefined) return older;
  return older === fragment.older ? fragment : { ...fragment, older };
}
