// Encoded text as pieces to be sent. Text is copied into chunks of one size, which are used again and again. Bytes that were encoded
// before and follow each other are sent from where they lie, if they are long enough to be worth it.
import type { EncodedSink } from '@vivarium/vim';

export const CHUNK_BYTES = 128 << 10;
/** What lies where it is, is sent in pieces of at most so many bytes. */
const MOST_RUN_BYTES = 256 << 10;
/** Less is copied: a piece costs a record of TLS and a call of the system. */
const LEAST_RUN_BYTES = 32 << 10;
/** Characters collected as a string first: encoding many small pieces one by one is slow. */
const FLUSH_AT = 16 << 10;
/** Kept text of so many characters is worth being sent by itself. */
const LEAST_APART = 512;
/** A character of a string is at most so many bytes. */
const MOST_BYTES = 3;

/** A chunk that is in use, with so many bytes; or bytes that lie elsewhere. */
export interface OutgoingPiece {
  readonly bytes: Uint8Array;
  /** Where they have been copied to. */
  readonly chunk: Buffer | undefined;
}

/** Chunks that are not in use. */
export class ChunkPool {
  readonly #free: Buffer[] = [];
  readonly #mostFree: number;

  constructor(mostFree: number) {
    this.#mostFree = mostFree;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  /** The giver must not touch it again. */
  give(chunk: Buffer): void {
    if (this.#free.length < this.#mostFree) this.#free.push(chunk);
  }
}

export class ChunkSink implements EncodedSink {
  readonly #pool: ChunkPool;
  readonly #ready: OutgoingPiece[] = [];
  /** Whether nothing of it has been a piece yet. */
  #isShort = true;
  #text = '';
  /** Kept text before #text, and what comes before it. */
  #apart: { readonly before: string; readonly kept: string } | undefined;
  #chunk: Buffer | undefined;
  #used = 0;
  /** Behind the chunk's bytes. */
  #run: { readonly source: Uint8Array; readonly from: number; to: number } | undefined;

  constructor(pool: ChunkPool) {
    this.#pool = pool;
  }

  text(piece: string, isKept = false): void {
    if (this.#run) this.#endRun();
    if (isKept && piece.length >= LEAST_APART && this.#isShort && !this.#apart && !this.#chunk) {
      this.#apart = { before: this.#text, kept: piece };
      this.#text = '';
      return;
    }
    this.#text += piece;
    if (this.#text.length >= FLUSH_AT) this.#flush();
  }

  bytes(source: Uint8Array, from: number, to: number): void {
    const run = this.#run;
    if (run?.source === source && run.to === from) {
      run.to = to;
    } else {
      this.#endRun();
      this.#flush();
      this.#run = { source, from, to };
    }
    if (to - (this.#run?.from ?? to) >= MOST_RUN_BYTES) this.#endRun();
  }

  /** Whether a piece is ready to be sent. */
  get isFull(): boolean {
    return this.#ready.length > 0;
  }

  /** The next piece; it goes back by `release`. */
  next(): OutgoingPiece | undefined {
    return this.#ready.shift();
  }

  release({ chunk }: OutgoingPiece): void {
    if (chunk) this.#pool.give(chunk);
  }

  /** Nothing more will be written; what is left may be more than fits into a chunk. */
  finish(): void {
    this.#endRun();
    if (this.#chunk) this.#flush();
  }

  /**
   * What is left when all is written, `finish` was called and no piece is ready: text when nothing of it was bytes yet. It may have a
   * kept text in the middle.
   */
  rest(): string | readonly [before: string, kept: string, after: string] | Buffer {
    if (this.#apart) return [this.#apart.before, this.#apart.kept, this.#text];
    if (this.#chunk === undefined) return this.#text;
    const rest = Buffer.from(this.#chunk.subarray(0, this.#used));
    this.close();
    return rest;
  }

  /** Nothing more will be written or read. */
  close(): void {
    for (const piece of this.#ready.splice(0)) this.release(piece);
    if (this.#chunk) this.#pool.give(this.#chunk);
    this.#chunk = undefined;
    this.#run = undefined;
    this.#apart = undefined;
    this.#text = '';
  }

  #flush(): void {
    const text = this.#apart ? this.#apart.before + this.#apart.kept + this.#text : this.#text;
    if (text === '') return;
    this.#apart = undefined;
    this.#text = '';
    if (text.length * MOST_BYTES <= CHUNK_BYTES - this.#used) {
      this.#used += this.#current().write(text, this.#used, 'utf8');
    } else {
      const encoded = Buffer.from(text, 'utf8');
      this.#copy(encoded, 0, encoded.length);
    }
  }

  #endRun(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const { source } = run;
    const length = run.to - run.from;
    if (length < LEAST_RUN_BYTES || (this.#isShort && this.#used + length <= CHUNK_BYTES))
      return this.#copy(source, run.from, run.to);
    if (this.#chunk && this.#used > 0) this.#finishChunk(this.#chunk);
    for (let at = run.from; at < run.to; at += MOST_RUN_BYTES) {
      const bytes = source.subarray(at, Math.min(run.to, at + MOST_RUN_BYTES));
      this.#push({ bytes, chunk: undefined });
    }
  }

  #copy(source: Uint8Array, from: number, to: number): void {
    const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
    for (let at = from; at < to; ) {
      const chunk = this.#current();
      // Not `set`: V8 copies what lies in a SharedArrayBuffer a word at a time.
      const count = bytes.copy(chunk, this.#used, at, to);
      this.#used += count;
      at += count;
      if (this.#used === CHUNK_BYTES) this.#finishChunk(chunk);
    }
  }

  #current(): Buffer {
    return (this.#chunk ??= this.#pool.take());
  }

  #finishChunk(chunk: Buffer): void {
    this.#push({ bytes: chunk.subarray(0, this.#used), chunk });
    this.#chunk = undefined;
    this.#used = 0;
  }

  #push(piece: OutgoingPiece): void {
    this.#ready.push(piece);
    this.#isShort = false;
  }
}
