import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { openMemoryStore, openSqliteBlocks } from '@vivarium/store';
import { type Event, type MoRef, make, moRef } from '@vivarium/vim';
import {
  Archive,
  type CounterName,
  counterKey,
  metricFilter,
  type StatisticsQuery,
  StatisticsSettings,
} from '@vivarium/vmomi';
import { HostUnreachable } from '../host-link/host-link.ts';
import { TestClock } from '../testing/test-clock.ts';
import type { HostSource } from './host-source.ts';
import { OperationCounts } from './operation-counts.ts';
import { StatisticsFeed } from './statistics-feed.ts';
import type { Topology } from './topology.ts';

const CLUSTER = moRef('ClusterComputeResource', 'domain-c1');
const DATACENTER = moRef('Datacenter', 'datacenter-1');
const POOL = moRef('ResourcePool', 'resgroup-1');
const DATASTORE = moRef('Datastore', 'datastore-1');
const START = Date.UTC(2026, 0, 1); // the test clock's
const PERIOD = 300_000;
const host = (number: number) => moRef('HostSystem', `host-${number}`);
const vm = (number: number) => moRef('VirtualMachine', `vm-${number}`);

/** A host of this number uses number × 100 MHz, its VM of the same number × 10, since `since`. */
class FakeSource implements HostSource {
  readonly asked: (readonly StatisticsQuery[])[] = [];
  isAway = false;
  onAsked: () => void = () => undefined;
  since = START;
  readonly #number: number;
  readonly #now: () => number;

  constructor(number: number, now: () => number) {
    this.#number = number;
    this.#now = now;
  }

  async query(queries: readonly StatisticsQuery[]) {
    this.asked.push(queries);
    this.onAsked();
    if (this.isAway) throw new HostUnreachable('gone');
    return queries.map(({ entity, periodS, metrics, range, limit }) => {
      const times: number[] = [];
      const first = Math.max(range.afterMs ?? 0, this.since);
      for (
        let timeMs = Math.floor(first / 1000 / periodS + 1) * periodS * 1000;
        timeMs <= Math.min(range.untilMs ?? this.#now(), this.#now());
        timeMs += periodS * 1000
      )
        times.push(timeMs);
      const newest = limit === undefined ? times : times.slice(-limit);
      const wants = metricFilter(metrics);
      const series = this.#series(entity).filter(([name, instance]) => wants({ counter: counterKey(name), instance }));
      return {
        times: newest,
        series: series.map(([name, instance, value]) => ({
          counter: counterKey(name),
          instance,
          values: newest.map(() => value),
        })),
      };
    });
  }

  async available() {
    return [{ counter: counterKey('cpu.usagemhz.average'), instance: '0' }];
  }

  #series({ type }: MoRef): (readonly [CounterName, string, number])[] {
    const mhz = this.#number * (type === 'HostSystem' ? 100 : 10);
    const common = [
      ['cpu.usagemhz.average', '', mhz],
      ['cpu.usagemhz.average', '0', mhz],
      ['mem.consumed.average', '', 2 ** 20],
      ['mem.active.average', '', 2 ** 19],
      ['sys.uptime.latest', '', 1],
    ] as const;
    return type === 'HostSystem' ? [...common, ['datastore.read.average', 'volume', this.#number]] : [...common];
  }
}

function world(count: number) {
  const clock = new TestClock();
  const hostNow = () => clock.monotonic(); // hosts have clocks of their own
  const sources = new Map(
    Array.from({ length: count }, (_, index) => [host(index + 1).value, new FakeSource(index + 1, hostNow)]),
  );
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const topology: Topology = {
    hosts: () => numbers.map(host),
    source: ({ value }) => sources.get(value),
    vmsOn: ({ value }) => [vm(Number(value.slice(5)))],
    hostOf: ({ type, value }) =>
      type === 'HostSystem' || type === 'VirtualMachine' ? host(Number(value.split('-')[1])) : undefined,
    hostFacts: () => ({ cpuMhz: 1_000, memoryBytes: 4 * 2 ** 30, isEffective: true }),
    clusters: () => [[CLUSTER, numbers.map(host)]],
    poolsOf: () => [POOL as MoRef],
    datacenters: () => [DATACENTER],
    datastores: () => [[DATASTORE, { capacityBytes: 2 ** 40, freeBytes: 2 ** 39, uncommittedBytes: 0 }]],
    datastoreOf: (_, instance) => (instance === 'volume' ? DATASTORE : undefined),
  };
  const settings = new StatisticsSettings(openMemoryStore());
  const blocks = openSqliteBlocks(':memory:');
  const operations = new OperationCounts();
  const archive = new Archive({ blocks, levels: () => settings.archiveLevels(), now: () => clock.now() });
  const open = () => new StatisticsFeed({ clock, log: silentLogger, archive, settings, topology, operations });
  const feed = open();
  const read = async (entity: MoRef, name: CounterName, periodS = 300) => {
    const metrics = [{ counter: counterKey(name), instance: '*' }];
    const [samples] = await feed.query([{ entity, periodS, metrics, range: {} }]);
    return {
      times: samples?.times.map((timeMs) => (timeMs - START) / PERIOD) ?? [],
      series: samples?.series.map(({ instance, values }) => [instance, values]) ?? [],
    };
  };
  return { clock, sources, settings, operations, archive, feed, open, read };
}

const source = ({ sources }: ReturnType<typeof world>, number: number) =>
  sources.get(host(number).value) ?? assert.fail();

void test('each period is collected in one request a host, and groups are added up', async () => {
  const made = world(3);
  const { clock, feed, read } = made;
  clock.advance(PERIOD);
  await feed.collect(START + PERIOD);
  clock.advance(PERIOD);
  const before = source(made, 1).asked.length;
  await feed.collect(START + 2 * PERIOD);
  assert.equal(source(made, 1).asked.length - before, 1);
  assert.deepEqual(
    source(made, 1)
      .asked.at(-1)
      ?.map(({ entity }) => entity.value),
    ['host-1', 'vm-1'],
  );
  assert.deepEqual(await read(host(2) as MoRef, 'cpu.usagemhz.average'), { times: [1, 2], series: [['', [200, 200]]] });
  assert.deepEqual(await read(vm(2) as MoRef, 'cpu.usagemhz.average'), { times: [1, 2], series: [['', [20, 20]]] });
  assert.deepEqual(await read(CLUSTER as MoRef, 'cpu.usagemhz.average'), { times: [1, 2], series: [['', [600, 600]]] });
  assert.deepEqual((await read(CLUSTER as MoRef, 'cpu.usage.average')).series, [['', [2_000, 2_000]]]);
  assert.deepEqual((await read(POOL as MoRef, 'cpu.usagemhz.average')).series, [['', [60, 60]]]);
  assert.deepEqual((await read(DATASTORE as MoRef, 'disk.used.latest')).series, [['', [2 ** 29, 2 ** 29]]]);
});

void test('what is kept is what the level of the interval says, for hosts and for what they add up to', async () => {
  const { clock, feed, read, settings } = world(2);
  clock.advance(PERIOD);
  await feed.collect(START + PERIOD);
  assert.deepEqual((await read(host(1) as MoRef, 'mem.active.average')).series, []);
  assert.deepEqual((await read(DATASTORE as MoRef, 'datastore.read.average')).series, []);
  const [day] = settings.intervals();
  await settings.updateInterval({ ...(day ?? assert.fail()), level: 2 });
  clock.advance(PERIOD);
  await feed.collect(START + 2 * PERIOD);
  assert.deepEqual((await read(host(1) as MoRef, 'mem.active.average')).series, [['', [2 ** 19]]]);
  assert.deepEqual((await read(CLUSTER as MoRef, 'mem.active.average')).series, [['', [2 ** 20]]]);
  assert.deepEqual((await read(DATASTORE as MoRef, 'datastore.read.average')).series, [['', [3]]]);
});

void test('a host that was away hands in what it kept, and its cluster is worked out again', async () => {
  const made = world(2);
  const { clock, feed, read } = made;
  for (let period = 1; period <= 30; period++) {
    clock.advance(PERIOD);
    source(made, 2).isAway = period > 1 && period < 30;
    await feed.collect(START + period * PERIOD);
    if (period !== 29) continue;
    const cluster = (await read(CLUSTER as MoRef, 'cpu.usagemhz.average')).series[0]?.[1] as number[];
    assert.equal(cluster.at(-1), 100, 'one of two hosts was heard');
  }
  const { times, series } = await read(host(2) as MoRef, 'cpu.usagemhz.average');
  assert.equal(times.at(-1), 30);
  assert.ok(times.length >= 30 && new Set(times).size === times.length);
  assert.deepEqual(series, [['', times.map(() => 200)]]);
  const cluster = await read(CLUSTER as MoRef, 'cpu.usagemhz.average');
  assert.deepEqual(cluster.series, [['', cluster.times.map(() => 300)]]);
  const halfHour = await read(CLUSTER as MoRef, 'cpu.usagemhz.average', 1800);
  assert.deepEqual(halfHour.series, [['', halfHour.times.map(() => 300)]], 'roll-ups included');
});

void test('a new vCenter over old hosts asks for no more than they have', async () => {
  const made = world(1);
  const { clock, feed, read } = made;
  clock.advance(5 * PERIOD);
  await feed.collect(START + 5 * PERIOD);
  assert.deepEqual((await read(host(1) as MoRef, 'cpu.usagemhz.average')).times, [1, 2, 3, 4, 5]);
  assert.equal(source(made, 1).asked.length, 2, 'since when, and what');
});

void test('one that was started again goes on where it was', async () => {
  const made = world(1);
  const { clock, feed, open, read } = made;
  clock.advance(PERIOD);
  await feed.collect(START + PERIOD);
  clock.advance(3 * PERIOD);
  const again = open();
  await again.collect(START + 4 * PERIOD);
  assert.deepEqual((await read(host(1) as MoRef, 'cpu.usagemhz.average')).times, [1, 2, 3, 4]);
  assert.equal(source(made, 1).asked.at(-1)?.[0]?.range.afterMs, START + PERIOD);
});

void test("vCenter's clock is set forward and back by an hour and more: nothing of the hosts is missing in the end", async () => {
  const made = world(1);
  const { clock, feed, read } = made;
  const collect = () => feed.collect(Math.floor(clock.now() / PERIOD) * PERIOD);
  for (let period = 1; period <= 60; period++) {
    clock.advance(PERIOD);
    if (period === 10 || period === 30) clock.jump(20 * PERIOD);
    if (period === 20 || period === 40) clock.jump(-20 * PERIOD);
    await collect();
  }
  const periods = Array.from({ length: 60 }, (_, index) => index + 1);
  assert.deepEqual((await read(host(1) as MoRef, 'cpu.usagemhz.average')).times, periods);
});

void test('real-time samples are asked of the hosts, one request each, and what is away has none', async () => {
  const made = world(3);
  const { clock, feed } = made;
  clock.advance(60_000);
  source(made, 3).isAway = true;
  const metrics = [{ counter: counterKey('cpu.usagemhz.average'), instance: '' }];
  const entities = [vm(1), host(1), vm(2), vm(3), CLUSTER] as MoRef[];
  const answers = await feed.query(entities.map((entity) => ({ entity, periodS: 20, metrics, range: {}, limit: 2 })));
  assert.deepEqual(
    answers.map(({ series }) => series[0]?.values),
    [[10, 10], [100, 100], [20, 20], undefined, undefined],
  );
  assert.deepEqual(
    [1, 2, 3].map((number) => source(made, number).asked.length),
    [1, 1, 1],
  );
  assert.deepEqual(feed.support(CLUSTER as MoRef), { realTime: false, history: true });
  assert.equal(feed.support(moRef('Folder', 'group-d1')), undefined);
  assert.deepEqual(await feed.available(vm(1) as MoRef, 20, {}), [
    { counter: counterKey('cpu.usagemhz.average'), instance: '0' },
  ]);
});

void test('operations are counted by cluster and datacenter', async () => {
  const { clock, feed, operations, read } = world(1);
  const event = (type: string) =>
    ({
      _typeName: type,
      computeResource: make('ComputeResourceEventArgument', { name: 'C0', computeResource: CLUSTER }),
      datacenter: make('DatacenterEventArgument', { name: 'DC0', datacenter: DATACENTER }),
    }) as unknown as Event;
  for (const type of ['VmPoweredOnEvent', 'VmPoweredOnEvent', 'VmReconfiguredEvent', 'UserLoginSessionEvent']) {
    operations.note(event(type));
  }
  clock.advance(PERIOD);
  await feed.collect(START + PERIOD);
  for (const entity of [CLUSTER, DATACENTER] as MoRef[]) {
    assert.deepEqual((await read(entity, 'vmop.numPoweron.latest')).series, [['', [2]]]);
    assert.deepEqual((await read(entity, 'vmop.numSuspend.latest')).series, [['', [0]]]);
  }
});

void test('it collects by itself, twenty seconds after each period', async () => {
  const made = world(1);
  const { clock, feed, read } = made;
  feed.start();
  const collected = async (count: number) => {
    for (let turn = 0; turn < 1_000; turn++) {
      const { times } = await read(host(1) as MoRef, 'cpu.usagemhz.average');
      if (times.length >= count) return times.slice(0, count);
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return assert.fail(`${count} periods were not collected`);
  };
  clock.advance(PERIOD);
  assert.deepEqual((await read(host(1) as MoRef, 'cpu.usagemhz.average')).times, []);
  assert.deepEqual(await collected(3), [1, 2, 3]);
  await feed.stop();
  const asked = source(made, 1).asked.length;
  clock.advance(3 * PERIOD);
  assert.equal(source(made, 1).asked.length, asked);
});

void test('a round over many hosts leaves the event loop to others now and then', async () => {
  const made = world(50);
  const { clock, sources, feed } = made;
  clock.advance(PERIOD);
  let isRunning = true;
  let turns = 0;
  const count = () => {
    turns += 1;
    if (isRunning) setImmediate(count);
  };
  setImmediate(count);
  // Each host takes the daemon ten milliseconds.
  for (const one of sources.values()) one.onAsked = () => clock.advance(10);
  await feed.collect(START + PERIOD);
  isRunning = false;
  assert.ok(turns >= 50, `${turns} turns`);
});

void test('so does a question about the past of many entities', async () => {
  const { clock, archive, feed } = world(1);
  let isRunning = true;
  let turns = 0;
  const count = () => {
    turns += 1;
    if (isRunning) setImmediate(count);
  };
  setImmediate(count);
  archive.read = () => {
    clock.advance(10);
    return { times: [], series: [] };
  };
  const query = { entity: vm(1) as MoRef, periodS: 300, metrics: [], range: {} };
  const answers = await feed.query(Array.from({ length: 50 }, () => query));
  isRunning = false;
  assert.equal(answers.length, 50);
  assert.ok(turns >= 49, `${turns} turns`);
});
