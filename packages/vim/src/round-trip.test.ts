import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeJson,
  decodeSoapRequest,
  decodeSoapResponse,
  encodeJson,
  encodeSoapRequest,
  encodeSoapResponse,
  schema,
} from './index.ts';
import { type Draw, drawFrom, drawValue } from './testing/random-value.ts';
import { typeRef } from './type-ref.ts';

const NEWEST = '9.0.0.0';
const STRUCTURES = [...schema.names('data'), ...schema.names('fault')];
const METHODS = schema.names('method');

function forRandomSeeds(numRuns: number, check: (draw: Draw) => void): void {
  fc.assert(
    fc.property(fc.integer(), (seed) => check(drawFrom(seed))),
    { numRuns },
  );
}

function rootType(draw: Draw): string {
  return draw.pick([draw.pick(['any', 'any[]', 'VirtualDevice[]', 'Event', 'MethodFault']), draw.pick(STRUCTURES)]);
}

void test('a value written as SOAP and read again is the same value', () => {
  forRandomSeeds(1000, (draw) => {
    const type = rootType(draw);
    const value = drawValue(draw, typeRef(type));
    const xml = encodeSoapResponse('X', type, value, NEWEST);
    assert.deepEqual(decodeSoapResponse(type, xml), value);
    assert.deepEqual(decodeSoapResponse(type, new TextEncoder().encode(xml)), value);
  });
});

void test('a value written as VI/JSON and read again is the same value', () => {
  forRandomSeeds(1000, (draw) => {
    const type = rootType(draw);
    const value = drawValue(draw, typeRef(type));
    const text = JSON.stringify(encodeJson(type, value, NEWEST));
    assert.deepEqual(decodeJson(type, JSON.parse(text)), value);
  });
});

void test('a request of any method with random arguments is read as it was meant', () => {
  forRandomSeeds(1000, (draw) => {
    const method = schema.declaredMethod(draw.pick(METHODS));
    assert.ok(method !== undefined);
    const args = Object.fromEntries(method.params.map((param) => [param.name, drawValue(draw, param)]));
    const self = { type: method.owner, value: 'x-1' };
    const request = decodeSoapRequest(encodeSoapRequest(method.name, self, args, NEWEST), `"urn:vim25/${NEWEST}"`);
    assert.deepEqual(request, { method: method.name, this: self, args, version: NEWEST, header: {} });
  });
});

/** Every type and property that a decoded value uses must be known to a client of this rank. */
function assertKnown(value: unknown, rank: number): void {
  if (Array.isArray(value)) {
    for (const item of value) assertKnown(item, rank);
  } else if (typeof value === 'object' && value !== null) {
    const typeName = (value as { _typeName?: string })._typeName ?? '';
    const info = schema.type(typeName.replace(/^ArrayOf/, ''));
    assert.ok((info?.rank ?? 0) <= rank, `${typeName} is newer`);
    for (const [key, property] of Object.entries(value)) {
      if (info?.kind === 'data') {
        assert.ok((info.fieldsByName.get(key)?.rank ?? 0) <= rank, `${typeName}.${key} is newer`);
      } else if (key === 'type' && typeof property === 'string') {
        assert.ok((schema.managed(property)?.rank ?? 0) <= rank, `a reference to ${property} is newer`);
      }
      assertKnown(property, rank);
    }
  }
}

void test('nothing newer than the named version is ever sent', () => {
  forRandomSeeds(1000, (draw) => {
    const version = draw.pick(schema.versions);
    const value = drawValue(draw, typeRef('any'));
    const rank = schema.rank(version) ?? -1;
    assertKnown(decodeSoapResponse('any', encodeSoapResponse('X', 'any', value, version), version), rank);
    assertKnown(encodeJson('any', value, version), rank);
  });
});
