import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MetricValue, MISSING, metricFilter } from './metric.ts';
import { RealTimeStore } from './real-time-store.ts';

const everything = metricFilter([]);
const value = (counter: number, figure: number, instance = ''): MetricValue => ({ counter, instance, value: figure });

void test('an hour of samples is kept, the newest of a range are answered, and gaps are told', () => {
  const store = new RealTimeStore(4);
  for (let pass = 1; pass <= 6; pass++) {
    store.begin(pass * 20);
    if (pass !== 5) store.record('vm', [value(2, pass), value(6, pass * 10, '0')]);
  }
  assert.deepEqual(store.read('vm', everything), {
    times: [60, 80, 100, 120],
    series: [
      { counter: 2, instance: '', values: [3, 4, MISSING, 6] },
      { counter: 6, instance: '0', values: [30, 40, MISSING, 60] },
    ],
  });
  const only = metricFilter([{ counter: 2, instance: '' }]);
  assert.deepEqual(store.read('vm', only, { afterMs: 60, untilMs: 80 }), {
    times: [80],
    series: [{ counter: 2, instance: '', values: [4] }],
  });
  assert.deepEqual(store.read('vm', only, {}, 2).times, [100, 120]);
  assert.deepEqual(store.read('nobody', everything), { times: [], series: [] });
});

void test('an entity begins with its first sample, ends with its last, and is forgotten after the hour', () => {
  const store = new RealTimeStore(4);
  for (let pass = 1; pass <= 8; pass++) {
    store.begin(pass);
    store.record('host', [value(2, pass)]);
    if (pass === 2 || pass === 3) store.record('vm', [value(2, pass)]);
    if (pass === 4) assert.deepEqual(store.read('vm', everything).times, [2, 3]);
    if (pass === 6) assert.deepEqual(store.read('vm', everything).times, [3]);
  }
  assert.deepEqual(store.entities(), ['host']);
  store.forget('host');
  assert.equal(store.bytes, 4 * 8);
});

void test('devices come and go', () => {
  const store = new RealTimeStore(3);
  store.begin(1);
  store.record('vm', [value(173, 5, 'scsi0:0'), value(173, 6, 'scsi0:1')]);
  for (let pass = 2; pass <= 6; pass++) {
    store.begin(pass);
    store.record('vm', [value(173, pass, 'scsi0:0'), value(148, pass, '4000')]);
  }
  assert.deepEqual(
    store.metrics('vm').map(({ instance }) => instance),
    ['scsi0:0', '4000'],
  );
});

void test('a figure beyond 2^31 widens its entity and no other', () => {
  const store = new RealTimeStore(2);
  store.begin(1);
  store.record('host', [value(98, 2 ** 34)]);
  store.record('vm', [value(98, 2 ** 20)]);
  assert.equal(store.bytes, 2 * 8 + 2 * 8 + 2 * 4);
  assert.deepEqual(store.read('host', everything).series[0]?.values, [2 ** 34]);
});

void test('when the clock goes back, what was later is forgotten', () => {
  const store = new RealTimeStore(4);
  store.begin(1_000);
  store.record('vm', [value(2, 1)]);
  store.begin(900);
  store.record('vm', [value(2, 2)]);
  store.begin(920);
  store.record('vm', [value(2, 3)]);
  assert.deepEqual(store.read('vm', everything), {
    times: [900, 920],
    series: [{ counter: 2, instance: '', values: [2, 3] }],
  });
});

void test('any course of passes reads like a plain list of what was recorded', () => {
  const metrics = fc.uniqueArray(fc.record({ counter: fc.nat({ max: 3 }), instance: fc.constantFrom('', 'a') }), {
    selector: ({ counter, instance }) => `${counter}${instance}`,
    maxLength: 5,
  });
  const pass = fc.record({ step: fc.integer({ min: 1, max: 40 }), a: fc.option(metrics), b: fc.option(metrics) });
  fc.assert(
    fc.property(fc.array(pass, { maxLength: 30 }), fc.integer({ min: 1, max: 6 }), (passes, slots) => {
      const store = new RealTimeStore(slots);
      const log: { timeMs: number; values: Map<string, number> }[] = [];
      let timeMs = 0;
      for (const [index, { step, a, b }] of passes.entries()) {
        timeMs += step;
        store.begin(timeMs);
        const values = new Map<string, number>();
        if (a) {
          store.record(
            'a',
            a.map((metric) => ({ ...metric, value: index })),
          );
          for (const { counter, instance } of a) values.set(`${counter}${instance}`, index);
        }
        if (b)
          store.record(
            'b',
            b.map((metric) => ({ ...metric, value: index * 7 })),
          );
        log.push({ timeMs, values });
      }
      const { times, series } = store.read('a', everything);
      const newest = log.slice(-slots);
      for (const { counter, instance, values } of series) {
        for (const [index, figure] of values.entries()) {
          const entry = newest.find((candidate) => candidate.timeMs === times[index]);
          assert.equal(figure, entry?.values.get(`${counter}${instance}`) ?? MISSING);
        }
      }
      const known = newest.filter(({ values }) => values.size > 0).map((entry) => entry.timeMs);
      assert.deepEqual([times[0], times.at(-1)], [known[0], known.at(-1)]);
    }),
  );
});
