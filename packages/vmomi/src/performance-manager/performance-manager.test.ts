import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type MoRef,
  moRef,
  type PerfCompositeMetric,
  type PerfCounterInfo,
  type PerfEntityMetric,
  type PerfEntityMetricCSV,
  type PerfInterval,
  type PerfMetricIntSeries,
  type PerfProviderSummary,
} from '@vivarium/vim';
import { counterKey } from '../statistics/counters.ts';
import { MISSING, metricFilter, type Series } from '../statistics/metric.ts';
import type { StatisticsProvider, StatisticsQuery } from '../statistics/provider.ts';
import { StatisticsSettings } from '../statistics/statistics-settings.ts';
import { fault, OTHER_VM, testService, VM, VM_FOLDER } from '../testing/test-service.ts';

const PERF = moRef('PerformanceManager', 'PerfMgr');
const USAGE = counterKey('cpu.usage.average');
const RECEIVED = counterKey('net.received.average');
const SERIES: readonly Series[] = [
  { counter: USAGE, instance: '', values: [100, MISSING, 300] },
  { counter: RECEIVED, instance: '4000', values: [1, 2, 3] },
];
const TIMES = [20, 40, 60].map((second) => Date.UTC(2026, 10, 20, 12, 0, second));

/** VMs have figures, folders have none. */
function provider(settings?: StatisticsSettings): StatisticsProvider & { readonly asked: StatisticsQuery[] } {
  const asked: StatisticsQuery[] = [];
  return {
    asked,
    intervals: () => settings?.intervals() ?? [],
    support: ({ type }) =>
      type === 'VirtualMachine' || type === 'HostSystem' ? { realTime: true, history: true } : undefined,
    available: async () => SERIES.map(({ counter, instance }) => ({ counter, instance })),
    async query(queries) {
      asked.push(...queries);
      return queries.map(({ metrics }) => ({ times: TIMES, series: SERIES.filter(metricFilter(metrics)) }));
    },
    ...(settings ? { settings } : {}),
  };
}

async function vcenter(context: Parameters<typeof testService>[0], directory?: string) {
  const made = {} as { provider: ReturnType<typeof provider> };
  const service = await testService(context, {
    instance: 'VirtualCenter',
    ...(directory ? { directory } : {}),
    statistics: (store) => (made.provider = provider(new StatisticsSettings(store))),
  });
  return { ...service, provider: made.provider };
}

void test('the catalogue names counters as vCenter does, and finds them by key and by level', async (context) => {
  const { service, invoke } = await vcenter(context);
  const all = service.graph.get(PERF).get('perfCounter') ?? [];
  const usage = all.find(({ key }) => key === 2);
  assert.deepEqual(
    [usage?.groupInfo.key, usage?.nameInfo.key, usage?.rollupType, usage?.unitInfo.key, usage?.unitInfo.label],
    ['cpu', 'usage', 'average', 'percent', '%'],
  );
  assert.equal(new Set(all.map(({ key }) => key)).size, all.length);
  assert.deepEqual(await invoke(PERF, 'QueryPerfCounter', { counterId: [2] }), [usage]);
  await assert.rejects(invoke(PERF, 'QueryPerfCounter', { counterId: [1] }), fault('InvalidArgument'));
  const first = await invoke<PerfCounterInfo[]>(PERF, 'QueryPerfCounterByLevel', { level: 1 });
  assert.ok(first.length > 10 && first.every(({ level }) => level === 1));
  assert.equal((await invoke<PerfCounterInfo[]>(PERF, 'QueryPerfCounterByLevel', { level: 4 })).length, all.length);
  await assert.rejects(invoke(PERF, 'QueryPerfCounterByLevel', { level: 5 }), fault('InvalidArgument'));
});

void test('a provider is summed up; what is none, or is not there, is refused', async (context) => {
  const { invoke } = await vcenter(context);
  const summary = await invoke<PerfProviderSummary>(PERF, 'QueryPerfProviderSummary', { entity: VM });
  assert.deepEqual([summary.currentSupported, summary.summarySupported, summary.refreshRate], [true, true, 20]);
  const ask = (entity: MoRef) => invoke(PERF, 'QueryPerfProviderSummary', { entity });
  await assert.rejects(ask(VM_FOLDER), fault('InvalidArgument', { invalidProperty: 'entity' }));
  await assert.rejects(ask(moRef('VirtualMachine', 'gone')), fault('ManagedObjectNotFound'));
});

void test('samples come as numbers and as CSV', async (context) => {
  const { invoke, provider: made } = await vcenter(context);
  const spec = { entity: VM, intervalId: 20, metricId: [{ counterId: USAGE, instance: '*' }] };
  const [normal] = await invoke<PerfEntityMetric[]>(PERF, 'QueryPerf', { querySpec: [spec] });
  assert.deepEqual(
    normal?.sampleInfo?.map(({ timestamp, interval }) => [timestamp, interval]),
    [
      ['2026-11-20T12:00:20Z', 20],
      ['2026-11-20T12:00:40Z', 20],
      ['2026-11-20T12:01:00Z', 20],
    ],
  );
  const [series] = (normal?.value ?? []) as PerfMetricIntSeries[];
  assert.deepEqual([series?.id.counterId, series?.id.instance, series?.value], [USAGE, '', [100, -1, 300]]);
  assert.equal(normal?.value?.length, 1);
  assert.deepEqual([made.asked[0]?.periodS, made.asked[0]?.entity], [20, VM]);

  const [csv] = await invoke<PerfEntityMetricCSV[]>(PERF, 'QueryPerf', {
    querySpec: [{ entity: VM, intervalId: 300, format: 'csv' }],
  });
  assert.equal(csv?.sampleInfoCSV, '300,2026-11-20T12:00:20Z,300,2026-11-20T12:00:40Z,300,2026-11-20T12:01:00Z');
  assert.deepEqual(
    csv?.value?.map(({ id, value }) => [id.counterId, id.instance, value]),
    [
      [USAGE, '', '100,-1,300'],
      [RECEIVED, '4000', '1,2,3'],
    ],
  );
  await assert.rejects(invoke(PERF, 'QueryPerf', { querySpec: [] }), fault('InvalidArgument'));
});

void test('who may not read an entity learns nothing of its figures', async (context) => {
  const { service, invoke, call, login } = await vcenter(context);
  await service.authorization.grant(VM, [{ principal: 'eve', isGroup: false, roleId: -2, propagate: true }]);
  const eve = call(login('eve'));
  const ask = (entity: MoRef) => invoke(PERF, 'QueryPerf', { querySpec: [{ entity }] }, eve);
  assert.equal(((await ask(VM)) as PerfEntityMetric[]).length, 1);
  await assert.rejects(ask(OTHER_VM), fault('NoPermission'));
  await assert.rejects(invoke(PERF, 'QueryAvailablePerfMetric', { entity: OTHER_VM }, eve), fault('NoPermission'));
});

void test('a host is asked together with its VMs', async (context) => {
  const { service, invoke } = await vcenter(context);
  const host = moRef('HostSystem', 'host-1');
  service.graph.add<'HostSystem'>(host, { name: 'esx1', parent: VM_FOLDER, vm: [VM, OTHER_VM] });
  const querySpec = { entity: host, intervalId: 20, metricId: [{ counterId: USAGE, instance: '' }] };
  const answer = await invoke<PerfCompositeMetric>(PERF, 'QueryPerfComposite', { querySpec });
  assert.deepEqual(
    [answer.entity, ...(answer.childEntity ?? [])].map((metric) => metric?.entity),
    [host, VM, OTHER_VM],
  );
  const refused = (spec: object) =>
    assert.rejects(invoke(PERF, 'QueryPerfComposite', { querySpec: spec }), fault('InvalidArgument'));
  await refused({ ...querySpec, entity: VM });
  await refused({ ...querySpec, metricId: [] });
});

void test('the level of an interval and of a counter can be changed, and stays', async (context) => {
  const { service, invoke, directory, stop } = await vcenter(context);
  const intervals = () => service.graph.get(PERF).get('historicalInterval') ?? [];
  const change = (interval: PerfInterval | undefined, more: Partial<PerfInterval>) =>
    invoke(PERF, 'UpdatePerfInterval', { interval: { ...interval, ...more } });
  const refused = (interval: PerfInterval | undefined, more: Partial<PerfInterval>, name: string) =>
    assert.rejects(change(interval, more), fault('InvalidArgument', { invalidProperty: `interval.${name}` }));
  const [day, week, month, year] = intervals();
  assert.deepEqual([day?.name, day?.samplingPeriod, week?.key, year?.length], ['Past day', 300, 2, 31_536_000]);
  await change(day, { level: 3 });
  await change(week, { level: 2 });
  await refused(month, { level: 3 }, 'level');
  await refused(day, { level: 1 }, 'level');
  await refused(day, { level: 5 }, 'level');
  await refused(week, { length: 604_801 }, 'length');
  await refused(day, { samplingPeriod: 20 }, 'samplingPeriod');
  await change(month, { enabled: false });
  assert.deepEqual(
    intervals().map(({ enabled }) => enabled),
    [true, true, false, false],
  );
  await refused(year, { enabled: true }, 'enabled');
  await change(year, { length: 2 * 31_536_000, enabled: false });

  const levels = () => {
    const counter = service.graph
      .get(PERF)
      .get('perfCounter')
      ?.find(({ key }) => key === RECEIVED);
    return [counter?.level, counter?.perDeviceLevel];
  };
  assert.deepEqual(levels(), [2, 3]);
  const map = (mapping: object) => invoke(PERF, 'UpdateCounterLevelMapping', { counterLevelMap: [mapping] });
  await map({ counterId: RECEIVED, perDeviceLevel: 1 });
  assert.deepEqual(levels(), [1, 1], 'where devices are kept their sum is kept');
  await assert.rejects(map({ counterId: RECEIVED, aggregateLevel: 0, perDeviceLevel: 0 }), fault('InvalidArgument'));
  await assert.rejects(map({ counterId: RECEIVED, aggregateLevel: 5 }), fault('InvalidArgument'));
  await assert.rejects(map({ counterId: 1, aggregateLevel: 1 }), fault('InvalidArgument'));
  await map({ counterId: USAGE, aggregateLevel: 4 });
  await invoke(PERF, 'ResetCounterLevelMapping', { counters: [USAGE] });
  await assert.rejects(invoke(PERF, 'ResetCounterLevelMapping', { counters: [1] }), fault('InvalidArgument'));
  await stop();

  const again = await vcenter(context, directory);
  const kept = again.service.graph.get(PERF);
  assert.deepEqual(
    kept.get('historicalInterval')?.map(({ level }) => level),
    [3, 2, 1, 1],
  );
  assert.equal(kept.get('historicalInterval')?.[3]?.length, 2 * 31_536_000);
  assert.equal(kept.get('perfCounter')?.find(({ key }) => key === RECEIVED)?.level, 1);
  assert.equal(kept.get('perfCounter')?.find(({ key }) => key === USAGE)?.level, 1);
});

void test('nothing can be changed on a host, and no interval made or removed anywhere', async (context) => {
  const perf = moRef('PerformanceManager', 'ha-perfmgr');
  const { invoke } = await testService(context, { statistics: () => provider() });
  const interval = { key: 1, samplingPeriod: 300, name: 'PastDay', length: 129_600, enabled: false };
  await assert.rejects(invoke(perf, 'UpdatePerfInterval', { interval }), fault('NotSupported'));
  await assert.rejects(invoke(perf, 'UpdateCounterLevelMapping', { counterLevelMap: [] }), fault('NotSupported'));
  await assert.rejects(invoke(perf, 'ResetCounterLevelMapping', { counters: [] }), fault('NotSupported'));
  await assert.rejects(invoke(perf, 'CreatePerfInterval', { intervalId: interval }), fault('NotSupported'));
  await assert.rejects(invoke(perf, 'RemovePerfInterval', { samplePeriod: 300 }), fault('NotSupported'));
});
