// Encoded text as bytes in chunks of one size, which are used again and again. A chunk lies in the frame of HTTP's chunked
// encoding (RFC 9112, 7.1), so that it can be sent as one piece.
import type { EncodedSink } from '@vivarium/vim';

export const CHUNK_BYTES = 128 << 10;
const HEAD = `${CHUNK_BYTES.toString(16)}\r\n`;
const TAIL = '\r\n';
/** Characters collected as a string first: encoding many small pieces one by one is slow. */
const FLUSH_AT = 16 << 10;
/** A character of a string is at most so many bytes. */
const MOST_BYTES = 3;

/** The bytes without the frame around them. */
export function contentOf(chunk: Buffer): Buffer {
  return chunk.subarray(HEAD.length, HEAD.length + CHUNK_BYTES);
}

/** Chunks that are not in use. */
export class ChunkPool {
  readonly #free: Buffer[] = [];
  readonly #mostFree: number;

  constructor(mostFree: number) {
    this.#mostFree = mostFree;
  }

  take(): Buffer {
    const known = this.#free.pop();
    if (known) return known;
    const made = Buffer.allocUnsafeSlow(HEAD.length + CHUNK_BYTES + TAIL.length);
    made.write(HEAD, 'latin1');
    made.write(TAIL, HEAD.length + CHUNK_BYTES, 'latin1');
    return made;
  }

  /** The giver must not touch it again. */
  give(chunk: Buffer): void {
    if (this.#free.length < this.#mostFree) this.#free.push(chunk);
  }
}

export class ChunkSink implements EncodedSink {
  readonly #pool: ChunkPool;
  readonly #full: Buffer[] = [];
  #text = '';
  #chunk: Buffer | undefined;
  #used = 0;

  constructor(pool: ChunkPool) {
    this.#pool = pool;
  }

  text(piece: string): void {
    this.#text += piece;
    if (this.#text.length >= FLUSH_AT) this.#flush();
  }

  bytes(source: Uint8Array, from: number, to: number): void {
    this.#flush();
    this.#copy(source, from, to);
  }

  /** Whether a chunk is ready to be sent. */
  get isFull(): boolean {
    return this.#full.length > 0;
  }

  /** The next full chunk; goes back to the pool by `release`. */
  next(): Buffer | undefined {
    return this.#full.shift();
  }

  release(chunk: Buffer): void {
    this.#pool.give(chunk);
  }

  /** Nothing more will be written; what is left may fill a chunk. */
  finish(): void {
    if (this.#chunk) this.#flush();
  }

  /** What is left when all is written, `finish` was called and no chunk is full: a string when nothing of it was bytes yet. */
  rest(): string | Buffer {
    if (this.#chunk === undefined) return this.#text;
    const rest = Buffer.from(this.#chunk.subarray(HEAD.length, HEAD.length + this.#used));
    this.close();
    return rest;
  }

  /** Nothing more will be written or read. */
  close(): void {
    for (const chunk of this.#full.splice(0)) this.#pool.give(chunk);
    if (this.#chunk) this.#pool.give(this.#chunk);
    this.#chunk = undefined;
    this.#text = '';
  }

  #flush(): void {
    const text = this.#text;
    if (text === '') return;
    this.#text = '';
    const chunk = this.#current();
    if (text.length * MOST_BYTES <= CHUNK_BYTES - this.#used) {
      this.#used += chunk.write(text, HEAD.length + this.#used, 'utf8');
    } else {
      const encoded = Buffer.from(text, 'utf8');
      this.#copy(encoded, 0, encoded.length);
    }
  }

  #copy(source: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const chunk = this.#current();
      const count = Math.min(to - at, CHUNK_BYTES - this.#used);
      chunk.set(source.subarray(at, at + count), HEAD.length + this.#used);
      this.#used += count;
      at += count;
      if (this.#used === CHUNK_BYTES) this.#finishChunk(chunk);
    }
  }

  #current(): Buffer {
    return (this.#chunk ??= this.#pool.take());
  }

  #finishChunk(chunk: Buffer): void {
    this.#full.push(chunk);
    this.#chunk = undefined;
    this.#used = 0;
  }
}
