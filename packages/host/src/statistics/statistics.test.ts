import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { type MoRef, moRef, type PerfEntityMetric, type PerfMetricId, type PerfMetricIntSeries } from '@vivarium/vim';
import { type CounterName, counterKey } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import { IDLE_MACHINE, type PublishedHost, publishedHost } from '../testing/published-host.ts';
import { vmSpec } from '../testing/test-host.ts';
import { turns } from '../testing/virtual-clock.ts';
import { HostStatistics } from './host-statistics.ts';

const PERF = moRef('PerformanceManager', 'ha-perfmgr');

async function series(world: PublishedHost, entity: MoRef, name: CounterName, instance = '', intervalId = 20) {
  const metricId = [{ counterId: counterKey(name), instance }];
  const [answer] = await world.invoke<PerfEntityMetric[]>(PERF, 'QueryPerf', {
    querySpec: [{ entity, intervalId, metricId }],
  });
  return {
    times: answer?.sampleInfo?.map(({ timestamp }) => timestamp.slice(11, 19)) ?? [],
    values: (answer?.value?.[0] as PerfMetricIntSeries | undefined)?.value ?? [],
  };
}

async function startVm(world: PublishedHost, name?: string): Promise<MoRef<'VirtualMachine'>> {
  const made = await world.run<MoRef<'VirtualMachine'>>(refs.vmFolder, 'CreateVM_Task', {
    config: vmSpec(name),
    pool: refs.resourcePool,
  });
  const vm = moRef('VirtualMachine', made.value);
  await world.run(vm, 'PowerOnVM_Task');
  await turns();
  return vm;
}

void test('a running VM is sampled at every twentieth second, from its start to its end', async (t) => {
  const world = await publishedHost(t);
  const { host } = world;
  await host.clock.advance(13_000);
  const vm = await startVm(world);
  const machine = host.vmms.machine(vm.value);
  assert.equal(world.property(vm, 'summary.quickStats.hostMemoryUsage'), 64, 'memory is known at once');
  machine.cpuSeconds = 3.5;
  await host.clock.advance(7_000);
  assert.equal(world.property(vm, 'summary.quickStats.overallCpuUsage'), 1_000, 'half of 7 seconds of 2000 MHz');
  machine.cpuSeconds = 13.5;
  machine.diskUsage.set('disk-2000', {
    readBytes: 0,
    writtenBytes: 20 * 2 ** 20,
    reads: 0,
    writes: 20,
    readTimeNs: 0,
    writeTimeNs: 1e9,
  });
  await host.clock.advance(20_000);
  assert.deepEqual(await series(world, vm, 'cpu.usagemhz.average'), {
    times: ['00:00:20', '00:00:40'],
    values: [1_000, 1_000],
  });
  assert.deepEqual((await series(world, vm, 'cpu.used.summation')).values, [3_500, 10_000]);
  assert.deepEqual((await series(world, vm, 'virtualDisk.write.average', 'scsi0:0')).values, [0, 1_024]);
  assert.deepEqual((await series(world, vm, 'mem.active.average')).values, [32_768, 32_768]);
  const volume = world.property<MoRef[]>(vm, 'datastore')[0]?.value;
  assert.deepEqual((await series(world, vm, 'datastore.totalWriteLatency.average', volume)).values, [0, 50]);
  await world.run(vm, 'PowerOffVM_Task');
  await host.clock.advance(40_000);
  assert.deepEqual((await series(world, vm, 'cpu.usagemhz.average')).times, ['00:00:20', '00:00:40']);
  assert.equal(world.property(vm, 'summary.quickStats.overallCpuUsage'), 0);
});

void test('host and root pool are sampled with it, and quickStats say the same', async (t) => {
  const world = await publishedHost(t);
  const vm = await startVm(world);
  world.host.vmms.machine(vm.value).cpuSeconds = 5;
  world.machine.reading = {
    ...IDLE_MACHINE,
    cpus: IDLE_MACHINE.cpus.map((_, index) => ({ busyMs: index === 0 ? 20_000 : 0, idleMs: index === 0 ? 0 : 20_000 })),
  };
  await world.host.clock.advance(20_000);
  assert.deepEqual((await series(world, refs.host, 'cpu.usage.average')).values, [2_500]);
  assert.deepEqual((await series(world, refs.host, 'cpu.usage.average', '0')).values, [10_000]);
  assert.deepEqual((await series(world, refs.resourcePool, 'cpu.usagemhz.average')).values, [500]);
  assert.equal(world.property(vm, 'summary.quickStats.overallCpuUsage'), 500);
});

void test('five minutes become one figure, and outlive hostd', async (t) => {
  const world = await publishedHost(t);
  const vm = await startVm(world);
  const machine = world.host.vmms.machine(vm.value);
  for (let pass = 1; pass <= 15; pass++) {
    machine.cpuSeconds += 10;
    await world.host.clock.advance(20_000);
  }
  await turns(20);
  assert.deepEqual(await series(world, vm, 'cpu.used.summation', '', 300), { times: ['00:05:00'], values: [150_000] });
  assert.deepEqual((await series(world, vm, 'cpu.usagemhz.average', '', 300)).values, [1_000]);
  const available = await world.invoke<PerfMetricId[]>(PERF, 'QueryAvailablePerfMetric', {
    entity: vm,
    intervalId: 300,
  });
  assert.ok(
    available.some(
      ({ counterId, instance }) => counterId === counterKey('virtualDisk.read.average') && instance === 'scsi0:0',
    ),
  );
  assert.ok(
    !available.some(({ counterId }) => counterId === counterKey('net.usage.average')),
    'nobody counts on this network',
  );
});

void test('a machine that does not answer is left out, and holds nobody up', async (t) => {
  const world = await publishedHost(t);
  const [slow, quick] = [await startVm(world), await startVm(world, 'other')];
  const vm = world.host.registry.find(slow.value) ?? assert.fail();
  vm.measure = () => new Promise(() => undefined);
  await world.host.clock.advance(25_000);
  assert.equal((await series(world, quick, 'cpu.usagemhz.average')).values.length, 1);
  assert.equal((await series(world, slow, 'cpu.usagemhz.average')).values.length, 0);
});

void test('what is on disk is there for the next hostd; a file that cannot be read is put aside', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'viv-statistics-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'statistics.db');
  const start = Date.UTC(2026, 10, 22);
  const key = counterKey('cpu.ready.summation');
  const first = HostStatistics.open(file, silentLogger);
  for (let second = 20; second <= 620; second += 20) {
    first.record(start + second * 1000, new Map([['VirtualMachine:1', [{ counter: key, instance: '', value: 2 }]]]));
  }
  await first.close();
  const entity = moRef('VirtualMachine', '1');
  const ask = (statistics: HostStatistics) => statistics.query([{ entity, periodS: 300, metrics: [], range: {} }]);
  const second = HostStatistics.open(file, silentLogger);
  assert.deepEqual((await ask(second))[0]?.series[0]?.values, [30, 30]);
  await second.close();
  writeFileSync(file, 'this is no database, and long enough to be taken for a broken one'.repeat(100));
  rmSync(`${file}-wal`, { force: true });
  const third = HostStatistics.open(file, silentLogger);
  assert.deepEqual((await ask(third))[0]?.times, []);
  await third.close();
});
