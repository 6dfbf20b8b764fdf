// Cuts a byte stream of JSON objects that follow each other without separators (RFC 7047 section 4) into objects.
// Works on bytes: braces and quotes are ASCII, and no byte of a longer UTF-8 character looks like one.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

export class JsonStream {
  #rest: Buffer = Buffer.alloc(0);
  #position = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  readonly #limitBytes: number;

  /** `limitBytes`: the longest object that is accepted. */
  constructor(limitBytes = 64 * 1024 * 1024) {
    this.#limitBytes = limitBytes;
  }

  /** Takes the next bytes and returns the objects that are complete with them. Throws on what is not JSON or too long. */
  push(bytes: Buffer): unknown[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const objects: unknown[] = [];
    let start = 0;
    for (; this.#position < this.#rest.length; this.#position++) {
      if (!this.#endsObject(this.#rest[this.#position] ?? 0)) continue;
      objects.push(JSON.parse(this.#rest.toString('utf8', start, this.#position + 1)));
      start = this.#position + 1;
    }
    this.#rest = this.#rest.subarray(start);
    this.#position -= start;
    if (this.#rest.length > this.#limitBytes)
      throw new RangeError(`a JSON object of more than ${this.#limitBytes} bytes`);
    return objects;
  }

  #endsObject(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return false;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN) this.#depth += 1;
    else if (byte === CLOSE) {
      this.#depth -= 1;
      return this.#depth === 0;
    }
    return false;
  }
}
