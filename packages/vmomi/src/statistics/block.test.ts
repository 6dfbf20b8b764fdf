import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBlock, encodeBlock } from './block.ts';
import { MISSING } from './metric.ts';

const value = fc
  .oneof(
    fc.constant(MISSING),
    fc.nat({ max: 300 }),
    fc.maxSafeNat().map((n) => n - 1),
  )
  .filter((n) => n >= -1);
const entries = fc.uniqueArray(
  fc.record(
    { slot: fc.nat({ max: 63 }), layout: fc.nat({ max: 70_000 }), values: fc.array(value, { maxLength: 30 }) },
    { noNullPrototype: true },
  ),
  { selector: ({ slot }) => slot, maxLength: 64 },
);

void test('what is written is read, all of it or what is wanted', () => {
  fc.assert(
    fc.property(entries, fc.nat({ max: 63 }), (written, wanted) => {
      const bytes = encodeBlock(written);
      assert.deepEqual(decodeBlock(bytes), written);
      assert.deepEqual(
        decodeBlock(bytes, (slot) => slot === wanted),
        written.filter(({ slot }) => slot === wanted),
      );
    }),
  );
});

void test('bytes that are cut short, or are no block at all, are a RangeError and never a loop', () => {
  fc.assert(
    fc.property(entries, fc.nat(), (written, cut) => {
      const bytes = encodeBlock(written);
      const short = bytes.subarray(0, cut % bytes.length);
      assert.throws(() => decodeBlock(short), RangeError);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeBlock(bytes);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }),
  );
});

void test("a VM's level-1 figures take some thirty bytes", () => {
  const values = [312, 75, 140, 2_400, 0, 262_144, 0, 0, 12, 3, 2, 86_400, 20];
  assert.equal(encodeBlock([{ slot: 7, layout: 2, values }]).length, 24);
});
