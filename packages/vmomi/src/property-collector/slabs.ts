// Room for encoded bytes, outside of the JavaScript heap: they lie one after the other in slabs, cost no garbage collection and
// exactly what the limit says. When there is no room, the oldest slab is given up as a whole. What was written never changes, so
// that it can be sent from where it lies; who still sends it keeps it.
//
// A slab is a SharedArrayBuffer, though nobody shares it: V8 begins to collect everything for every 64 MB of other buffers, which
// takes a second when there are 45,000 VMs.
export interface Slab {
  /** Undefined when it was given up. */
  bytes: Buffer | undefined;
  used: number;
  /** What the bytes were made of, where somebody has to compare: held as long as the bytes. */
  sources: (readonly unknown[])[];
}

const SLAB_BYTES = 1 << 20;
/** There are at least so many, so that giving one up does not empty the cache. */
const LEAST_SLABS = 8;
/** A character of a string is at most so many bytes. */
const MOST_BYTES = 3;

export class Slabs {
  readonly #maxBytes: () => number;
  /** Oldest first; all but the last are full. */
  readonly #slabs: Slab[] = [];
  #allocatedBytes = 0;
  /** Bytes found since a slab was given up. */
  #foundBytes = 0;
  /** Bytes that will not be kept: clients walk over more than there is room for, and keeping would only churn. */
  #refusedBytes = 0;

  /** @param maxBytes kept at most; asked for whenever more is needed, as it may follow what there is to keep */
  constructor(maxBytes: () => number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are held, used or not. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /** Says that kept bytes were of use. */
  found(bytes: number): void {
    this.#foundBytes += bytes;
  }

  /** The slab that has room for so many bytes behind those it uses; undefined when nothing is kept now. */
  room(length: number): Slab | undefined {
    if (this.#refusedBytes > 0) {
      this.#refusedBytes -= length;
      return undefined;
    }
    const last = this.#slabs.at(-1);
    if (last?.bytes && last.bytes.length - last.used >= length) return last;
    // A long list may need more than a slab, and more bytes than characters.
    const maxBytes = this.#maxBytes();
    const slabBytes = Math.min(SLAB_BYTES, Math.floor(maxBytes / LEAST_SLABS));
    const size = length > slabBytes / 2 ? length + (length >> 3) : slabBytes;
    if (size > maxBytes / 2) return undefined;
    while (this.#allocatedBytes + size > maxBytes) this.#giveUpOldest();
    const slab: Slab = { bytes: Buffer.from(new SharedArrayBuffer(size)), used: 0, sources: [] };
    this.#slabs.push(slab);
    this.#allocatedBytes += size;
    return slab;
  }

  #giveUpOldest(): void {
    const oldest = this.#slabs.shift();
    if (oldest?.bytes === undefined) return;
    const size = oldest.bytes.length;
    this.#allocatedBytes -= size;
    oldest.bytes = undefined;
    oldest.sources = [];
    if (this.#foundBytes < size) this.#refusedBytes = this.#maxBytes();
    this.#foundBytes = 0;
  }
}

/** Bytes of a slab. Whoever has them may use them, though the slab is given up meanwhile. */
export interface Piece {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Puts parts into a slab, one behind the other: where each begins, and where the last one ends. Undefined: they do not fit. */
export function put(slab: Slab, parts: readonly (string | Piece)[]): number[] | undefined {
  const { bytes } = slab;
  if (bytes === undefined) return undefined;
  let at = slab.used;
  const places = [at];
  for (const part of parts) {
    if (!fits(part, bytes.length - at)) {
      // Not ASCII, and at the very end of a slab: the next one will have it.
      slab.used = bytes.length;
      return undefined;
    }
    at += typeof part === 'string' ? bytes.write(part, at, 'utf8') : part.bytes.copy(bytes, at, part.from, part.to);
    places.push(at);
  }
  slab.used = at;
  return places;
}

function fits(part: string | Piece, room: number): boolean {
  if (typeof part !== 'string') return part.to - part.from <= room;
  return part.length * MOST_BYTES <= room || Buffer.byteLength(part) <= room;
}
