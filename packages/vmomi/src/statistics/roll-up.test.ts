import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { counterKey } from './counters.ts';
import { MISSING } from './metric.ts';
import { type RollUpType, rollUp, rollUpSamples } from './roll-up.ts';

const figures = fc.array(fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 2 ** 40 }) }, fc.constant(MISSING)), {
  maxLength: 40,
});
const types: readonly RollUpType[] = ['average', 'summation', 'minimum', 'maximum', 'latest', 'none'];
const present = (values: readonly number[]) => values.filter((value) => value !== MISSING);

void test('the six types, by hand', () => {
  const values = [4, MISSING, 7, 1, 3];
  assert.deepEqual(
    types.map((type) => rollUp(type, values)),
    [4, 15, 1, 7, 3, MISSING],
  );
  assert.equal(rollUp('latest', [5, MISSING]), 5, 'the latest that there is');
  assert.equal(rollUp('average', [0, 1]), 1, 'halves are rounded up');
});

void test('no figure comes of none, and none of what is missing counts', () => {
  fc.assert(
    fc.property(figures, fc.constantFrom(...types), (values, type) => {
      assert.equal(rollUp(type, values), rollUp(type, present(values)));
      if (present(values).length === 0) assert.equal(rollUp(type, values), MISSING);
    }),
  );
});

void test('a figure lies between the least and the greatest; a sum is the sum', () => {
  fc.assert(
    fc.property(figures, (values) => {
      const there = present(values);
      fc.pre(there.length > 0);
      for (const type of ['average', 'minimum', 'maximum', 'latest'] as const) {
        const figure = rollUp(type, values);
        assert.ok(figure >= Math.min(...there) && figure <= Math.max(...there), `${type}: ${figure}`);
        assert.ok(Number.isSafeInteger(figure));
      }
      assert.equal(
        rollUp('summation', values),
        there.reduce((sum, value) => sum + value, 0),
      );
    }),
  );
});

void test('sums, extremes and latest figures may be rolled up in steps of any length', () => {
  fc.assert(
    fc.property(figures, fc.integer({ min: 1, max: 9 }), (values, step) => {
      for (const type of ['summation', 'minimum', 'maximum', 'latest'] as const) {
        assert.equal(rollUp(type, inSteps(type, values, step)), rollUp(type, values), type);
      }
    }),
  );
});

void test('an average of averages over equally many figures is off by the rounding alone', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.nat({ max: 2 ** 30 }), { minLength: 1, maxLength: 60 }),
      (step, values) => {
        const whole = values.slice(0, values.length - (values.length % step));
        fc.pre(whole.length > 0);
        const difference = rollUp('average', inSteps('average', whole, step)) - rollUp('average', whole);
        assert.ok(Math.abs(difference) <= 1, String(difference));
      },
    ),
  );
});

void test('samples are rolled up by their counters; what cannot be is left out', () => {
  const series = (name: Parameters<typeof counterKey>[0], values: readonly number[]) => ({
    counter: counterKey(name),
    instance: '',
    values,
  });
  const samples = {
    times: [20, 40],
    series: [
      series('cpu.usage.average', [100, 200]),
      series('cpu.ready.summation', [100, 200]),
      series('sys.uptime.latest', [20, 40]),
      series('mem.active.average', [MISSING, MISSING]),
      { counter: 99_999, instance: '', values: [1, 2] },
    ],
  };
  assert.deepEqual(
    rollUpSamples(samples).map(({ value }) => value),
    [150, 300, 40],
  );
});

function inSteps(type: RollUpType, values: readonly number[], step: number): number[] {
  const steps: number[] = [];
  for (let start = 0; start < values.length; start += step) steps.push(rollUp(type, values.slice(start, start + step)));
  return steps;
}
