import assert from 'node:assert/strict';
import { test } from 'node:test';
import { box, encodeValue, make, schema, type TypeRef, type VirtualDevice } from '@vivarium/vim';
import { FragmentCache } from './fragment-cache.ts';
import { Slabs } from './slabs.ts';

const RANK = schema.rank('8.0.3.0') ?? 0;
const DEVICES: TypeRef = { type: 'VirtualDevice', kind: 'data', array: true, optional: false };

/** One device whose encoded form has about this length. */
function devices(length: number, character = 'x'): VirtualDevice[] {
  const deviceInfo = make('Description', { label: character.repeat(length), summary: '' });
  return [make('VirtualFloppy', { key: 1, deviceInfo })];
}

/** What is written, and whether it came from the cache or was made. */
function write(cache: FragmentCache, type: TypeRef, value: unknown, rank = RANK): { xml: string; isKept: boolean } {
  let xml = '';
  let isKept = false;
  cache.write(type, value, rank, {
    text(piece) {
      xml += piece;
    },
    bytes(source, from, to) {
      xml += Buffer.from(source.subarray(from, to)).toString();
      isKept = true;
    },
  });
  return { xml, isKept };
}

const expected = (type: TypeRef, value: unknown) => encodeValue('val', 'any', box(type, value), '8.0.3.0');

void test('what is found again is what was made', () => {
  const cache = new FragmentCache(new Slabs(() => 1 << 20));
  for (const character of ['x', 'é', '😀', '<']) {
    for (const length of [0, 300, 5000, 50_000]) {
      const value = devices(length, character);
      for (let read = 0; read < 3; read++) assert.equal(write(cache, DEVICES, value).xml, expected(DEVICES, value));
    }
  }
  const empty: never[] = [];
  assert.equal(write(cache, DEVICES, empty).xml, '<val xsi:type="ArrayOfVirtualDevice"></val>');
  assert.equal(
    write(cache, { ...DEVICES, type: 'Event' }, empty).xml,
    '<val xsi:type="ArrayOfEvent"></val>',
    'an empty list is one of its type',
  );
});

void test('a value has a form for each version', () => {
  const cache = new FragmentCache(new Slabs(() => 1 << 20));
  const value = [make('VirtualVmxnet3', { key: 1, deviceInfo: devices(1000)[0]?.deviceInfo })];
  const old = schema.rank('2.5') ?? 0;
  for (let read = 0; read < 2; read++) {
    assert.match(write(cache, DEVICES, value).xml, /xsi:type="VirtualVmxnet3"/);
    assert.match(write(cache, DEVICES, value, old).xml, /xsi:type="VirtualVmxnet"/);
  }
});

void test('never more is held than the limit', () => {
  const limit = 1 << 20;
  const slabs = new Slabs(() => limit);
  const cache = new FragmentCache(slabs);
  const values = Array.from({ length: 400 }, (_, index) => devices(3000 + 37 * index, index % 3 === 0 ? 'é' : 'x'));
  for (let round = 0; round < 3; round++) {
    for (const value of values) {
      assert.equal(write(cache, DEVICES, value).xml, expected(DEVICES, value));
      assert.ok(slabs.allocatedBytes <= limit);
    }
  }
  assert.ok(slabs.allocatedBytes > limit / 2);
});

void test('what is larger than the cache is not kept', () => {
  const slabs = new Slabs(() => 1 << 16);
  const cache = new FragmentCache(slabs);
  const value = devices(1 << 17);
  assert.equal(write(cache, DEVICES, value).isKept, false);
  assert.equal(write(cache, DEVICES, value).xml, expected(DEVICES, value));
  assert.equal(slabs.allocatedBytes, 0);
});

void test('clients that walk over more than there is room for do not push out everything again and again', () => {
  const cache = new FragmentCache(new Slabs(() => 1 << 20));
  const values = Array.from({ length: 300 }, () => devices(10_000));
  const kept = () => values.filter((value) => write(cache, DEVICES, value).isKept).length;
  kept();
  // What was kept of the first walk serves the second.
  assert.ok(values.filter((value) => write(cache, DEVICES, value).isKept).length > 20);
});
