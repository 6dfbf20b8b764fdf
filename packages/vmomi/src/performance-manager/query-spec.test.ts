import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, moRef, type PerfQuerySpec } from '@vivarium/vim';
import { metricFilter } from '../statistics/metric.ts';
import { fault } from '../testing/test-service.ts';
import { parseQuerySpec, type QueryFacts } from './query-spec.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const interval = (samplingPeriod: number, length: number, enabled = true) =>
  make('PerfInterval', { key: samplingPeriod, samplingPeriod, name: '', length, enabled });
const FACTS: QueryFacts = {
  support: { realTime: true, history: true },
  intervals: [interval(300, 86_400), interval(1800, 604_800), interval(7200, 2_592_000, false)],
  nowMs: NOW,
};
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
const spec = (more: Partial<PerfQuerySpec> = {}): PerfQuerySpec =>
  make('PerfQuerySpec', { entity: moRef('VirtualMachine', 'vm-1'), ...more });
const period = (more: Partial<PerfQuerySpec>, facts: Partial<QueryFacts> = {}) =>
  parseQuerySpec(spec(more), { ...FACTS, ...facts }).periodS;

void test('without an interval the samples come as they were taken, or as fine as they reach back', () => {
  assert.equal(period({}), 20);
  assert.equal(period({ startTime: ago(1800) }), 20);
  assert.equal(period({ startTime: ago(7200) }), 300);
  assert.equal(period({ startTime: ago(90_000) }), 1800);
  assert.equal(period({ startTime: ago(10_000_000) }), 1800, 'the longest that is kept');
  assert.equal(period({ intervalId: 0 }), 20, 'Go writes nothing as 0');
  assert.equal(period({}, { support: { realTime: false, history: true } }), 300);
});

void test('an interval that the entity does not have is an invalid argument', () => {
  assert.equal(period({ intervalId: 20 }), 20);
  assert.equal(period({ intervalId: 300 }), 300);
  const refused = fault('InvalidArgument', { invalidProperty: 'querySpec.interval' });
  assert.throws(() => period({ intervalId: 60 }), refused);
  assert.throws(() => period({ intervalId: 20 }, { support: { realTime: false, history: true } }), refused);
  assert.throws(() => period({ intervalId: 300 }, { support: { realTime: true, history: false } }), refused);
  assert.throws(() => period({}, { support: { realTime: false, history: true }, intervals: [] }), refused);
});

void test('formats, times and numbers are checked', () => {
  const refused = (name: string) => fault('InvalidArgument', { invalidProperty: `querySpec.${name}` });
  assert.throws(() => period({ format: 'xml' }), refused('format'));
  assert.throws(() => period({ startTime: ago(10), endTime: ago(20) }), refused('startTime'));
  assert.throws(() => period({ maxSample: -1 }), refused('maxSample'));
});

void test('the number of samples counts for real time alone', () => {
  assert.equal(parseQuerySpec(spec({ maxSample: 3 }), FACTS).limit, 3);
  assert.equal(parseQuerySpec(spec({ maxSample: 3, intervalId: 300 }), FACTS).limit, undefined);
  assert.equal(parseQuerySpec(spec({ maxSample: 0 }), FACTS).limit, undefined);
});

void test('a star asks for every instance and the whole, nothing for everything', () => {
  const wants = (metricId: readonly (readonly [number, string])[], counter: number, instance: string) => {
    const { metrics } = parseQuerySpec(
      spec({ metricId: metricId.map(([counterId, name]) => ({ counterId, instance: name })) }),
      FACTS,
    );
    return metricFilter(metrics)({ counter, instance });
  };
  assert.deepEqual(
    [wants([[2, '*']], 2, ''), wants([[2, '*']], 2, '0'), wants([[2, '*']], 6, '')],
    [true, true, false],
  );
  assert.deepEqual([wants([[2, '']], 2, ''), wants([[2, '']], 2, '0'), wants([[2, '0']], 2, '0')], [true, false, true]);
  assert.ok(wants([], 9, 'x'));
});
