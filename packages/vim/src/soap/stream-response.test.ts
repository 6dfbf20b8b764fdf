// What is written piece by piece is what is written at once, in SOAP and in JSON.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { box, encodeJson, encodeUnderAny, encodeValue, schema, streamJson, streamSoapResponse } from '../index.ts';
import { drawFrom, drawValue } from '../testing/random-value.ts';
import { typeRef } from '../type-ref.ts';
import { encodeSoapResponse } from './encode-message.ts';
import type { EncodedSink } from './encoded-form.ts';

const STRUCTURES = [...schema.names('data'), ...schema.names('fault')];
const RESULTS = ['RetrieveResult', 'UpdateSet', 'ObjectContent[]', 'Event[]', 'int[]', 'any', 'void', 'Task', 'string'];

/** Runs the steps to their end: what was written, and in how many steps. */
function collect(produce: (sink: EncodedSink) => Iterable<void>): { text: string; steps: number } {
  let text = '';
  let steps = 0;
  const sink: EncodedSink = {
    text: (piece) => void (text += piece),
    bytes: (source, from, to) => void (text += new TextDecoder().decode(source.subarray(from, to))),
  };
  for (const _ of produce(sink)) steps += 1;
  return { text, steps };
}

void test('any result is streamed as it is written at once', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.oneof(fc.constantFrom(...RESULTS), fc.constantFrom(...STRUCTURES)),
      fc.constantFrom(...schema.versions),
      (seed, type, version) => {
        const value = type === 'void' ? undefined : drawValue(drawFrom(seed), typeRef(type));
        const soap = collect((sink) => streamSoapResponse('X', type, value, version, sink));
        assert.equal(soap.text, encodeSoapResponse('X', type, value, version));
        const json = collect((sink) => streamJson(type, value, version, sink));
        assert.equal(json.text, JSON.stringify(encodeJson(type, value, version)) ?? '');
      },
    ),
    { numRuns: 1000 },
  );
});

void test('long lists are made item by item', () => {
  const objects = Array.from({ length: 100 }, (_, index) => ({
    obj: { type: 'VirtualMachine', value: `vm-${index}` },
  }));
  const updates = objects.map(({ obj }) => ({ obj, kind: 'leave' }));
  const filter = { type: 'PropertyFilter', value: 'f' };
  const results: [type: string, value: object][] = [
    ['ObjectContent[]', objects],
    ['RetrieveResult', { objects }],
    ['UpdateSet', { version: '1', filterSet: [{ filter, objectSet: updates }] }],
  ];
  for (const [type, value] of results) {
    assert.ok(collect((sink) => streamSoapResponse('X', type, value, '8.0.3.0', sink)).steps >= 100, type);
    assert.ok(collect((sink) => streamJson(type, value, '8.0.3.0', sink)).steps >= 100, type);
  }
});

void test('a value under any is written with its declared type as in its boxed form', () => {
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(...schema.names('managed')), (seed, managedType) => {
      const draw = drawFrom(seed);
      for (const field of schema.managed(managedType)?.fields ?? []) {
        const value = drawValue(draw, field);
        for (const version of ['4.0', '9.0.0.0'] as const) {
          assert.equal(
            encodeUnderAny('val', field, value, schema.rank(version) ?? 0),
            encodeValue('val', 'any', box(field, value), version),
            field.name,
          );
        }
      }
    }),
    { numRuns: 200 },
  );
});
