import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeTelnet, TelnetDecoder } from './telnet.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

void test('what is encoded is decoded again, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(40), { maxLength: 20 }), (data, cuts) => {
      // CR NUL is the one sequence that a line does not carry.
      const sent = encodeTelnet(data.map((byte, index) => (byte === 0 && data[index - 1] === 13 ? 1 : byte)));
      const decoder = new TelnetDecoder();
      const parts: number[] = [];
      let at = 0;
      for (const cut of [...cuts, sent.length]) {
        parts.push(...decoder.decode(sent.subarray(at, at + cut)));
        at += cut;
      }
      assert.deepEqual(encodeTelnet(Uint8Array.from(parts)), sent);
    }),
  );
});

void test('commands and negotiations of the client are no data', () => {
  const decoder = new TelnetDecoder();
  assert.deepEqual(decoder.decode(bytes(97, 255, 253, 1, 98, 255)), bytes(97, 98));
  assert.deepEqual(decoder.decode(bytes(251, 3, 99)), bytes(99));
  assert.deepEqual(decoder.decode(bytes(255, 250, 24, 0, 255, 255, 1, 255, 240, 100)), bytes(100));
  assert.deepEqual(decoder.decode(bytes(255, 241, 101, 255, 255)), bytes(101, 255));
});

void test('a return that is padded with NUL is a return', () => {
  const decoder = new TelnetDecoder();
  assert.deepEqual(decoder.decode(bytes(13, 0, 13)), bytes(13, 13));
  assert.deepEqual(decoder.decode(bytes(0, 0, 97)), bytes(0, 97));
});
