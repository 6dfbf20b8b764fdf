import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codePointOrder, SortedKeys } from './sorted-keys.ts';

void test('keys come sorted from any start, whatever was added and deleted', () => {
  const key = fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', 'c', 'd') });
  const step = fc.record({ key, add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), key, (steps, start) => {
      const sorted = new SortedKeys();
      const expected = new Set<string>();
      for (const { key: changed, add } of steps) {
        if (add) assert.equal(sorted.add(changed), !expected.has(changed));
        else assert.equal(sorted.delete(changed), expected.has(changed));
        if (add) expected.add(changed);
        else expected.delete(changed);
      }
      assert.deepEqual([...sorted.from(start)], [...expected].filter((each) => each >= start).sort());
      assert.equal(sorted.size, expected.size);
    }),
  );
});

void test('many keys are spread over blocks', () => {
  const sorted = new SortedKeys();
  const keys = Array.from({ length: 5_000 }, (_, number) => String((number * 7_919) % 5_000).padStart(4, '0'));
  for (const key of keys) sorted.add(key);
  assert.deepEqual([...sorted.from('')], keys.toSorted());
  for (const key of keys.slice(0, 4_990)) sorted.delete(key);
  assert.deepEqual([...sorted.from('')], keys.slice(4_990).sort());
});

void test('the order is that of the bytes of UTF-8', () => {
  const key = fc.string({ unit: 'binary', maxLength: 4 });
  fc.assert(
    fc.property(key, key, (a, b) => {
      const expected = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const [x, y] = [codePointOrder(a), codePointOrder(b)];
      assert.equal(x < y ? -1 : x > y ? 1 : 0, expected);
      assert.ok(codePointOrder(a + b).startsWith(x));
    }),
  );
});
