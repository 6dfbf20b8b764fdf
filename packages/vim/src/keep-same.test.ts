import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keepSame } from './keep-same.ts';

void test('what has not changed keeps its identity', () => {
  const former = { name: 'a', devices: [{ key: 1, backing: { file: 'x' } }, { key: 2 }], flags: { isOn: true } };
  const next = keepSame(former, { ...structuredClone(former), name: 'b' });
  assert.deepEqual(next, { ...former, name: 'b' });
  assert.equal(next.devices, former.devices);
  assert.equal(next.flags, former.flags);
  const [first, second] = keepSame(former.devices, [{ key: 1, backing: { file: 'y' } }, { key: 2 }]);
  assert.deepEqual(first, { key: 1, backing: { file: 'y' } });
  assert.equal(second, former.devices[1]);
});

void test('it is always the value itself that comes out, and the former one when they are equal (property)', () => {
  const data = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(data, data, (former, value) => {
      const before = structuredClone([former, value]);
      assert.deepEqual(keepSame(former, value), value);
      assert.deepEqual([former, value], before, 'nothing is changed in place');
      assert.equal(keepSame(former, structuredClone(former)), former);
    }),
  );
});

void test('bytes are taken as they come, and an unset field is not one that is set to undefined', () => {
  const bytes = new Uint8Array([1]);
  assert.equal(keepSame(new Uint8Array([1]), bytes), bytes);
  const former = { a: undefined };
  const value = { b: undefined };
  assert.deepEqual(keepSame(former, value), { b: undefined });
  assert.deepEqual(keepSame({ a: 1, b: 2 }, { a: 1 }), { a: 1 });
  assert.deepEqual(keepSame([1, 2], [1]), [1]);
  assert.deepEqual(keepSame([], {}), {});
});
