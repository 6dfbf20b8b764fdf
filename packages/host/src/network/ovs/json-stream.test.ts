import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonStream } from './json-stream.ts';

test('objects come out as they went in, however the bytes are cut', () => {
  const objects = fc.array(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), { maxLength: 5 });
  fc.assert(
    fc.property(objects, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sent, cuts) => {
      const expected = sent.map((object) => JSON.parse(JSON.stringify(object)) as unknown);
      const bytes = Buffer.from(expected.map((object) => JSON.stringify(object)).join(''));
      const stream = new JsonStream();
      const received: unknown[] = [];
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const length = cuts[cut % cuts.length] ?? 1;
        received.push(...stream.push(bytes.subarray(at, at + length)));
        at += length;
      }
      assert.deepEqual(received, expected);
    }),
  );
});

test('an object without end is refused', () => {
  const stream = new JsonStream(100);
  stream.push(Buffer.from('{"a":'));
  assert.throws(() => stream.push(Buffer.alloc(200, '1')), RangeError);
});
