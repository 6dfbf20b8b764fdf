import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CounterName, counterKey, type MetricValue } from '@vivarium/vmomi';
import fc from 'fast-check';
import { type ClusterHost, ClusterSums, datastoreFigures, Sums } from './group-figures.ts';

const GB = 2 ** 30;
const value = (name: CounterName, figure: number, instance = ''): MetricValue => ({
  counter: counterKey(name),
  instance,
  value: figure,
});
const get = (figures: readonly MetricValue[], name: CounterName) =>
  figures.find(({ counter }) => counter === counterKey(name))?.value;

void test('a cluster is its hosts together; shares are of the hosts that were heard', () => {
  const host = (mhz: number, consumedKB: number, isEffective: boolean): ClusterHost => ({
    figures: [
      value('cpu.usagemhz.average', mhz),
      value('mem.consumed.average', consumedKB),
      value('cpu.usage.average', 7, '0'),
    ],
    cpuMhz: 4_000,
    memoryBytes: 8 * GB,
    isEffective,
  });
  const sums = new ClusterSums();
  sums.add(host(1_000, 2 ** 21, true));
  sums.add(host(3_000, 2 ** 22, false));
  const { figures } = sums;
  assert.equal(get(figures, 'cpu.usagemhz.average'), 4_000);
  assert.equal(get(figures, 'cpu.totalmhz.average'), 8_000);
  assert.equal(get(figures, 'cpu.usage.average'), 5_000);
  assert.equal(get(figures, 'mem.consumed.average'), 3 * 2 ** 21);
  assert.equal(get(figures, 'mem.totalmb.average'), 16_384);
  assert.equal(get(figures, 'mem.usage.average'), 3_750);
  assert.equal(get(figures, 'clusterServices.effectivecpu.average'), 4_000);
  assert.equal(get(figures, 'clusterServices.effectivemem.average'), 8_192);
  assert.equal(get(figures, 'mem.active.average'), undefined, 'nobody said');
});

void test('sums do not depend on order, and devices do not count', () => {
  const figures = fc.array(
    fc.record({
      counter: fc.constantFrom(counterKey('cpu.usagemhz.average'), counterKey('mem.active.average'), 99),
      instance: fc.constantFrom('', '0'),
      value: fc.nat(),
    }),
  );
  const sum = (entities: readonly (readonly MetricValue[])[]) => {
    const sums = Sums.ofVms();
    for (const entity of entities) sums.add(entity);
    return ['cpu.usagemhz.average', 'mem.active.average'].map((name) => sums.get(name as CounterName));
  };
  fc.assert(
    fc.property(fc.array(figures, { maxLength: 8 }), (entities) => {
      assert.deepEqual(sum(entities), sum(entities.toReversed()));
      const cpu = entities.flat().filter(({ counter, instance }) => counter === 6 && instance === '');
      assert.equal(
        sum(entities)[0] ?? 0,
        cpu.reduce((total, one) => total + one.value, 0),
      );
    }),
  );
});

void test('a datastore has the rates of all hosts, and its room', () => {
  const rates = [value('datastore.read.average', 5, 'x'), value('datastore.read.average', 7, 'y')];
  const figures = datastoreFigures(rates, { capacityBytes: 100 * GB, freeBytes: 60 * GB, uncommittedBytes: 80 * GB });
  assert.equal(get(figures, 'datastore.read.average'), 12);
  assert.equal(get(figures, 'disk.capacity.latest'), 100 * 2 ** 20);
  assert.equal(get(figures, 'disk.used.latest'), 40 * 2 ** 20);
  assert.equal(get(figures, 'disk.provisioned.latest'), 120 * 2 ** 20);
  assert.deepEqual(datastoreFigures([], undefined), [], 'of one that is not accessible nothing is known');
});
