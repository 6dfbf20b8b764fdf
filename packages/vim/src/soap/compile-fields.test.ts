// The compiled form of a type writes what the interpreted one writes, for every type and every version.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { schema } from '../schema.ts';
import { drawFrom, drawValue } from '../testing/random-value.ts';
import { typeRef } from '../type-ref.ts';
import { encodeFields, interpretFields } from './encode-value.ts';

const STRUCTURES = [...schema.names('data'), ...schema.names('fault')];

function dataType(name: string) {
  const info = schema.data(name);
  assert.ok(info);
  return info;
}

/** Draws a value until `encodeFields` must have compiled its type. */
function compareOften(seed: number, name: string, rank: number): void {
  const draw = drawFrom(seed);
  const info = dataType(name);
  for (let use = 0; use < 40; use++) {
    const value = drawValue(draw, typeRef(name)) as Record<string, unknown>;
    const actual = dataType(String(value['_typeName'] ?? name));
    assert.equal(encodeFields(actual, value, rank), interpretFields(actual, value, rank));
  }
  assert.equal(encodeFields(info, {}, rank), '');
}

void test('any type at any version is written alike', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.constantFrom(...STRUCTURES),
      fc.nat({ max: schema.versions.length - 1 }),
      (seed, name, rank) => compareOften(seed, name, rank),
    ),
    { numRuns: 150 },
  );
});

void test('values of the wrong shape are refused or written alike', () => {
  const values: object[] = [
    { key: 'text', unitNumber: 1.5, controllerKey: 2 ** 40, deviceInfo: { label: '<', summary: 'untyped' } },
    { key: -0, deviceInfo: { _typeName: 'OptionValue', key: 'no description' } },
    { key: 1, backing: { _typeName: 'VirtualDiskFlatVer2BackingInfo', diskMode: 'persistent', split: 'true' } },
    { key: 1, connectable: null, slotInfo: undefined },
  ];
  const info = dataType('VirtualDisk');
  const outcome = (encode: () => string) => {
    try {
      return encode();
    } catch (error) {
      return String(error);
    }
  };
  for (const value of values) {
    for (let use = 0; use < 40; use++) {
      assert.equal(
        outcome(() => encodeFields(info, value, 5)),
        outcome(() => interpretFields(info, value as Record<string, unknown>, 5)),
      );
    }
  }
});
