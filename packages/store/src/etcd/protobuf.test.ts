import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bool, bytes, int64, type Message, message, optional, repeated, string, uint64 } from './protobuf.ts';

interface Inner {
  readonly id: number;
}
const Inner: Message<Inner> = message(() => ({ id: int64(1) }));

interface Outer {
  readonly count: number;
  readonly member: bigint;
  readonly on: boolean;
  readonly raw: Buffer;
  readonly text: string;
  readonly one: Inner | undefined;
  readonly many: readonly Inner[];
  readonly next: Outer | undefined;
}
const Outer: Message<Outer> = message(() => ({
  count: int64(1),
  member: uint64(2),
  on: bool(3),
  raw: bytes(4),
  text: string(200),
  one: optional(6, () => Inner),
  many: repeated(7, () => Inner),
  next: optional(8, () => Outer),
}));

const own = { noNullPrototype: true };
const inner = fc.record({ id: fc.maxSafeNat() }, own);
const flat = {
  count: fc.maxSafeNat(),
  member: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  on: fc.boolean(),
  raw: fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  text: fc.string({ unit: 'binary' }),
  one: fc.option(inner, { nil: undefined }),
  many: fc.array(inner, { maxLength: 4 }),
};
const outer = fc.record(
  { ...flat, next: fc.option(fc.record({ ...flat, next: fc.constant(undefined) }, own), { nil: undefined }) },
  own,
);

void test('a message is read as it was written', () => {
  fc.assert(fc.property(outer, (value) => assert.deepEqual(Outer.decode(Outer.encode(value)), value)));
});

void test('the bytes are those of the specification', () => {
  // protobuf.dev/programming-guides/encoding: 150 is 96 01, "testing" is a length and its bytes.
  assert.equal(Inner.encode({ id: 150 }).toString('hex'), '089601');
  assert.equal(
    message<{ b: string }>(() => ({ b: string(2) }))
      .encode({ b: 'testing' })
      .toString('hex'),
    '120774657374696e67',
  );
});

void test('what is left out has its default, and what is unknown is passed over', () => {
  assert.deepEqual(Inner.decode(Buffer.alloc(0)), { id: 0 });
  const unknown = Buffer.from('3a0161' + '4001' + '510000000000000000' + '5d00000000' + '089601', 'hex');
  assert.deepEqual(Inner.decode(unknown), { id: 150 });
});

void test('a message that ends too early or is nonsense is refused', () => {
  const whole = Outer.encode({ text: 'abc', many: [{ id: 1 }], raw: Buffer.from('abc') });
  for (let length = 1; length < whole.length; length++) {
    try {
      Outer.decode(whole.subarray(0, length)); // cut between two fields it is a message too
    } catch (error) {
      assert.ok(error instanceof RangeError);
    }
  }
  assert.throws(() => Inner.decode(Buffer.alloc(11, 0xff)), RangeError);
  assert.throws(() => Inner.decode(Buffer.from('0b', 'hex')), RangeError);
});
