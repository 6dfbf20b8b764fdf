import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { divide, type Want } from './divide.ts';

const want = (shares: number, min = 0, max = Infinity): Want => ({ shares, min, max });
const parts = (amount: number, ...wants: Want[]) => divide(amount, wants).parts.map((part) => Math.round(part));

void test('an amount is divided by shares', () => {
  assert.deepEqual(parts(1000, want(1), want(4)), [200, 800]);
  assert.deepEqual(parts(1000), []);
});

void test('nobody gets less than his minimum: the others share what is left', () => {
  assert.deepEqual(parts(1000, want(1, 400), want(4), want(2)), [400, 400, 200]);
  assert.deepEqual(parts(1000, want(1, 100), want(4)), [200, 800], 'who gets more anyway loses nothing');
});

void test('nobody gets more than his maximum: the others share what he leaves', () => {
  assert.deepEqual(parts(1000, want(4, 0, 300), want(1), want(1)), [300, 350, 350]);
});

void test('minima that are more than there is are given all the same', () => {
  assert.deepEqual(parts(100, want(1, 80), want(1, 80), want(9)), [80, 80, 0]);
});

void test('maxima that are less than there is leave the rest', () => {
  assert.deepEqual(parts(1000, want(1, 0, 100), want(1, 0, 200)), [100, 200]);
  assert.deepEqual(parts(Infinity, want(1, 0, 100), want(5, 50, 200)), [100, 200]);
});

const wants = fc.array(
  fc
    .record({
      shares: fc.integer({ min: 1, max: 1_000_000 }),
      min: fc.integer({ min: 0, max: 10_000 }),
      more: fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: Infinity }),
    })
    .map(({ shares, min, more }) => want(shares, min, min + more)),
  { minLength: 1, maxLength: 12 },
);

void test('whatever is wanted: all is given away, within bounds, and who is not bound gets what his shares say', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50_000 }), wants, (amount, all) => {
      const { parts: given, perShare } = divide(amount, all);
      const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
      const least = sum(all.map(({ min }) => min));
      const most = sum(all.map(({ max }) => max));
      const expected = Math.min(Math.max(amount, least), most);
      assert.ok(Math.abs(sum(given) - expected) < 1e-6 * (1 + expected), `${sum(given)} of ${expected}`);
      for (const [index, { shares, min, max }] of all.entries()) {
        const part = given[index] ?? Number.NaN;
        assert.ok(part >= min && part <= max);
        if (part > min && part < max) assert.ok(Math.abs(part - perShare * shares) < 1e-6 * (1 + part));
      }
    }),
  );
});
