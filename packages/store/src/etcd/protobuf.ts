// Protocol Buffers, as far as etcd's API needs them (protobuf.dev/programming-guides/encoding): messages are tables of
// fields. What a message leaves out is read as its default; unknown fields are passed over.

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

interface Field<V> {
  readonly number: number;
  /** The encoded field with its tag, or nothing. */
  write(value: V, into: Buffer[]): void;
  /** The value after one more occurrence of the field. */
  read(reader: Reader, before: V): V;
  readonly initial: () => V;
}

type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

export interface Message<T> {
  encode(value: Partial<T>): Buffer;
  /** Throws RangeError when the bytes are no such message. */
  decode(bytes: Buffer): T;
}

export function message<T extends object>(fields: () => Fields<T>): Message<T> {
  let known: { byName: Fields<T>; byNumber: Map<number, [keyof T, Field<unknown>]> } | undefined;
  const table = () => {
    if (!known) {
      const byName = fields();
      const entries = Object.entries(byName) as [keyof T, Field<unknown>][];
      known = { byName, byNumber: new Map(entries.map(([name, field]) => [field.number, [name, field]])) };
    }
    return known;
  };
  return {
    encode(value) {
      const parts: Buffer[] = [];
      for (const name of Object.keys(value) as (keyof T)[]) {
        const given = value[name];
        if (given !== undefined) table().byName[name].write(given, parts);
      }
      return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
    },
    decode(bytes) {
      const value = Object.fromEntries(
        Object.entries<Field<unknown>>(table().byName).map(([name, field]) => [name, field.initial()]),
      ) as T;
      const reader = new Reader(bytes);
      while (!reader.isAtEnd) {
        const tag = reader.varint();
        const entry = table().byNumber.get(tag >>> 3);
        if (entry) value[entry[0]] = entry[1].read(reader, value[entry[0]]) as T[keyof T];
        else reader.skip(tag & 7);
      }
      return value;
    },
  };
}

/** 64 bits that are known to be a safe integer: revisions, counts, lease ids of ours. */
export function int64(number: number): Field<number> {
  return {
    number,
    write: (value, into) => into.push(Buffer.concat([tagOf(number, VARINT), varint(BigInt(value))])),
    read: (reader) => reader.varint(),
    initial: () => 0,
  };
}

/** 64 bits of any value: member ids. */
export function uint64(number: number): Field<bigint> {
  return {
    number,
    write: (value, into) => into.push(Buffer.concat([tagOf(number, VARINT), varint(value)])),
    read: (reader) => reader.bigVarint(),
    initial: () => 0n,
  };
}

export function bool(number: number): Field<boolean> {
  return {
    number,
    write: (value, into) => into.push(Buffer.concat([tagOf(number, VARINT), Buffer.of(value ? 1 : 0)])),
    read: (reader) => reader.varint() !== 0,
    initial: () => false,
  };
}

/** Read as a view of the message's own bytes. */
export function bytes(number: number): Field<Buffer> {
  return {
    number,
    write: (value, into) => into.push(tagOf(number, BYTES), varint(BigInt(value.length)), value),
    read: (reader) => reader.bytes(),
    initial: () => Buffer.alloc(0),
  };
}

export function string(number: number): Field<string> {
  const raw = bytes(number);
  return {
    number,
    write: (value, into) => raw.write(Buffer.from(value), into),
    read: (reader) => reader.bytes().toString('utf8'),
    initial: () => '',
  };
}

export function optional<T>(number: number, inner: () => Message<T>): Field<T | undefined> {
  const raw = bytes(number);
  return {
    number,
    write: (value, into) => value !== undefined && raw.write(inner().encode(value as Partial<T>), into),
    read: (reader) => inner().decode(reader.bytes()),
    initial: () => undefined,
  };
}

export function repeated<T>(number: number, inner: () => Message<T>): Field<readonly T[]> {
  const raw = bytes(number);
  return {
    number,
    write: (values, into) => {
      for (const value of values) raw.write(inner().encode(value as Partial<T>), into);
    },
    read: (reader, before) => {
      // The array is this decoding's own until it is returned.
      (before as T[]).push(inner().decode(reader.bytes()));
      return before;
    },
    initial: () => [],
  };
}

function tagOf(number: number, wireType: number): Buffer {
  return varint(BigInt((number << 3) | wireType));
}

function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, value);
  if (rest < 0x80n) return Buffer.of(Number(rest));
  const out: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
  return Buffer.from(out);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(from: Buffer) {
    this.#bytes = from;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError('a varint of more than ten bytes');
  }

  bigVarint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError('a varint of more than ten bytes');
  }

  bytes(): Buffer {
    return this.#take(this.varint());
  }

  skip(wireType: number): void {
    if (wireType === VARINT) this.bigVarint();
    else if (wireType === BYTES) this.bytes();
    else if (wireType === FIXED64) this.#take(8);
    else if (wireType === FIXED32) this.#take(4);
    else throw new RangeError(`wire type ${wireType}`);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('the message ends too early');
    this.#at += 1;
    return byte;
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new RangeError('the message ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
