import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { divide, type Taker } from './divide.ts';
import { settle } from './settle.ts';

const taker = (weight: number, want = Infinity, min = 0, max = Infinity): Taker => ({ min, want, max, weight });
const total = (parts: readonly number[]) => parts.reduce((sum, part) => sum + part, 0);

describe('dividing an amount', () => {
  test('goes by weight where everybody wants more', () => {
    assert.deepEqual(divide(600, [taker(1), taker(2), taker(3)]), [100, 200, 300]);
  });

  test('gives what is wanted before anybody gets more, and the rest by weight', () => {
    assert.deepEqual(divide(600, [taker(1, 100), taker(1, 400)]), [150, 450]);
    assert.deepEqual(divide(600, [taker(1, 100), taker(1, 900)]), [100, 500]);
  });

  test('gives at least the minimum and at most the maximum', () => {
    assert.deepEqual(divide(600, [taker(1, 0, 500), taker(1)]), [500, 100]);
    assert.deepEqual(divide(600, [taker(1, 600, 0, 50), taker(1, 600, 0, 60)]), [50, 60]);
  });

  test('falls short in proportion when it does not cover the minima', () => {
    assert.deepEqual(divide(300, [taker(1, 0, 400), taker(9, 0, 200)]), [200, 100]);
  });

  test('makes whole parts', () => {
    assert.deepEqual(divide(100, [taker(1), taker(1), taker(1)]), [34, 33, 33]);
  });
});

const size = fc.integer({ min: 0, max: 1000 });
const takers = fc.array(
  fc
    .record({
      min: size,
      want: size,
      max: fc.oneof(size, fc.constant(Infinity)),
      weight: fc.integer({ min: 1, max: 5000 }),
    })
    .map((item) => ({ ...item, min: Math.min(item.min, item.max) })),
  { minLength: 1, maxLength: 8 },
);

test('nothing is lost, nothing is given twice, and bounds hold', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6000 }), takers, (amount, all) => {
      const parts = divide(amount, all);
      assert.equal(total(parts), Math.min(amount, total(all.map(({ max }) => max))));
      const isCovered = total(all.map(({ min }) => min)) <= amount;
      for (const [index, part] of parts.entries()) {
        const { min, max } = all[index] as Taker;
        assert.ok(Number.isInteger(part) && part >= 0 && part <= max);
        assert.ok(!isCovered || part >= min);
      }
    }),
    { numRuns: 2000 },
  );
});

test('more to divide makes no part smaller, and who wants more gets no less', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6000 }), size, takers, fc.nat(), (amount, more, all, pick) => {
      const parts = divide(amount, all);
      const larger = divide(amount + more, all);
      for (const [index, part] of parts.entries()) assert.ok((larger[index] ?? 0) >= part - 1);
      const index = pick % all.length;
      const eager = all.map((item, at) => (at === index ? { ...item, want: item.want + more } : item));
      assert.ok((divide(amount, eager)[index] ?? 0) >= (parts[index] ?? 0) - 1);
    }),
    { numRuns: 2000 },
  );
});

describe('hysteresis', () => {
  const part = (old: number | undefined, target: number) => ({ old, target, min: 0, max: Infinity });
  const tolerance = { relative: 0.1, absolute: 0 };

  test('parts that are near enough stay', () => {
    assert.deepEqual(settle([part(100, 105), part(100, 95)], tolerance), [100, 100]);
  });

  test('what one part needs comes from as few others as possible', () => {
    const others = Array.from({ length: 19 }, () => part(1500, 1474));
    const settled = settle([part(1500, 1994), ...others], tolerance);
    assert.equal(settled[0], 1994);
    assert.equal(settled.slice(1).filter((value) => value !== 1500).length, 3);
    assert.equal(total(settled), 20 * 1500);
  });

  test('sums stay right, and every part is near to what it should be and within its bounds', () => {
    const parts = fc.array(
      fc
        .record({ old: fc.option(size, { nil: undefined }), target: size, slack: size })
        .map(({ old, target, slack }) => ({
          old,
          target,
          min: Math.max(0, target - slack),
          max: target + slack,
        })),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(parts, (all) => {
        const settled = settle(all, { relative: 0.1, absolute: 20 });
        assert.equal(total(settled), total(all.map(({ target }) => target)));
        for (const [index, value] of settled.entries()) {
          const { target, min, max } = all[index] as (typeof all)[number];
          assert.ok(Math.abs(value - target) <= Math.max(20, 0.1 * target));
          assert.ok(value >= min && value <= max);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
