// Performance statistics of a host with a running guest, with govc; and what the same host tells Prometheus.
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { describe, test } from 'node:test';
import { isA } from '@vivarium/vim';
import { findVm } from '../testing/lab-vm.ts';
import { scrape } from '../testing/metrics.ts';
import { useLabHost } from '../testing/use-lab-host.ts';
import { waitFor } from '../testing/wait-for.ts';
import { lines, useGovc, withoutGovc } from './use-govc.ts';

const HOST = 'host/esx1/esx1';
const DEMO = 'vm/demo';

interface Sampled {
  readonly sample: readonly {
    /** null while there are none. */
    readonly sampleInfo: readonly { readonly timestamp: string; readonly interval: number }[] | null;
    readonly value:
      | readonly { readonly name: string; readonly instance: string; readonly value: readonly number[] }[]
      | null;
  }[];
}

describe('govc reads statistics', { skip: withoutGovc }, () => {
  const host = useLabHost();
  const govc = useGovc(host);
  const sample = async (path: string, name: string, options: readonly string[] = []) => {
    const {
      sample: [entity],
    } = await govc.json<Sampled>('metric.sample', '-n', '180', ...options, path, name);
    const series = new Map(entity?.value?.map(({ instance, value }) => [instance, value]));
    return { times: entity?.sampleInfo?.map(({ timestamp }) => Date.parse(timestamp)) ?? [], series };
  };
  /** Waits for two samples more than there are. */
  const nextSamples = async () => {
    const [newest = 0] = (await sample(DEMO, 'sys.uptime.latest')).times.slice(-1);
    await waitFor('two more samples', async () => {
      const [now = 0] = (await sample(DEMO, 'sys.uptime.latest')).times.slice(-1);
      return now >= newest + 40_000;
    });
  };

  test('metric.ls names what is measured of a VM, the host and the pool', async () => {
    await nextSamples();
    const ofVm = lines(await govc('metric.ls', DEMO));
    for (const name of [
      'cpu.usage.average',
      'cpu.ready.summation',
      'mem.active.average',
      'mem.consumed.average',
      'virtualDisk.read.average',
      'datastore.write.average',
      'net.received.average',
      'sys.uptime.latest',
    ]) {
      assert.ok(ofVm.includes(name), `${name} of ${ofVm.join(' ')}`);
    }
    assert.ok(!ofVm.some((name) => name.startsWith('power.')), 'what is not measured is not there');
    assert.match(
      await govc('metric.ls', '-L', '-g', 'Network', DEMO),
      /^net\.received\.average +@1 +KBps +Data receive rate$/m,
    );
    assert.ok(lines(await govc('metric.ls', HOST)).includes('cpu.totalCapacity.average'));
    assert.ok(lines(await govc('metric.ls', 'host/esx1/Resources')).includes('cpu.usagemhz.average'));
    await govc.refused(/not correct: entity/, 'metric.ls', '/ha-datacenter');
  });

  test('metric.info tells of a counter and of its instances', async () => {
    const info = await govc('metric.info', HOST, 'cpu.usage.average');
    assert.match(info, /Unit: +%\n {2}Rollup type: +average\n {2}Stats type: +rate/);
    assert.match(info, /Realtime: +true\n {2}Historical: +true\n {2}Instances: +0/);
    assert.match(await govc('metric.info', '-', 'mem.vmmemctl.average'), /Label: +Ballooned memory/);
    await govc.refused(/not found/, 'metric.info', '-', 'cpu.nonsense.average');
  });

  test('metric.interval.info shows the one interval of a host, which cannot be changed', async () => {
    assert.equal(
      (await govc('metric.interval.info')).replaceAll(/ +/g, ' '),
      'ID: 300\n Enabled: true\n Interval: 5m\n Available Samples: 432\n Name: PastDay\n Level: 0\n',
    );
    const says = /not supported/;
    await govc.refused(says, 'metric.interval.change', '-i', '300', '-level', '2');
    await govc.refused(says, 'metric.change', '-level', '1', 'cpu.ready.summation');
    await govc.refused(says, 'metric.reset', 'cpu.ready.summation');
  });

  test('a guest that answers many requests is seen to: its network, its time, on the clock’s twentieth seconds', async () => {
    const before = await sample(DEMO, 'net.packetsTx.summation');
    const address = (await govc('vm.ip', 'demo')).trim();
    for (let request = 0; request < 100; request++) await fetched(`http://${address}/`);
    await nextSamples();
    const { times, series } = await sample(DEMO, 'net.packetsTx.summation');
    assert.ok(times.every((timeMs) => timeMs % 20_000 === 0));
    assert.ok(times.every((timeMs, index) => index === 0 || timeMs > (times[index - 1] ?? 0)));
    const since = times.findIndex((timeMs) => timeMs > (before.times.at(-1) ?? 0));
    const sent = (instance: string) =>
      series
        .get(instance)
        ?.slice(since)
        .reduce((sum, value) => sum + value, 0) ?? 0;
    assert.ok(sent('') >= 400, `a hundred answers are more than ${sent('')} packets`);
    assert.equal(sent('4000'), sent(''), 'its one adapter is all of it');
    const used = (await sample(DEMO, 'cpu.used.summation')).series.get('') ?? [];
    const run = (await sample(DEMO, 'cpu.run.summation')).series.get('') ?? [];
    assert.ok(Math.max(...used) > 0);
    for (const [index, value] of run.entries())
      assert.ok(value <= (used[index] ?? 0) + 20, `${value} of ${used[index]} ms`);
  });

  test('quickStats say what the newest sample says', async () => {
    const property = async (path: string) => Number(await govc('object.collect', '-s', DEMO, path));
    const newest = async (name: string) => (await sample(DEMO, name)).series.get('')?.at(-1) ?? 0;
    await waitFor('both to be of the same sample', async () => {
      const mhz = await property('summary.quickStats.overallCpuUsage');
      const consumedKB = await newest('mem.consumed.average');
      const megaBytes = await property('summary.quickStats.hostMemoryUsage');
      return mhz === (await newest('cpu.usagemhz.average')) && megaBytes === Math.round(consumedKB / 1024);
    });
  });

  test('an end of a range, a number of samples and one instance are obeyed', async () => {
    const { times } = await sample(DEMO, 'cpu.usagemhz.average', ['-n', '1', '-instance', '0']);
    assert.equal(times.length, 1);
    const { series } = await sample(DEMO, 'cpu.usagemhz.average', ['-instance', '-']);
    assert.deepEqual([...series.keys()], ['']);
  });

  test('Prometheus is told, after a login', async () => {
    assert.equal((await scrape(host().url)).status, 401);
    assert.equal((await scrape(host().url, { userName: 'root', password: 'wrong' })).status, 401);
    const { status, sum } = await scrape(host().url, host());
    assert.equal(status, 200);
    assert.equal(sum(/^vivarium_virtual_machines\{power_state="poweredOn"\}/), 1);
    assert.ok(sum(/^vivarium_vm_memory_consumed_bytes\{.*name="demo"/) > 2 ** 26);
    assert.ok(sum(/^vivarium_api_requests_total\{method="QueryPerf",outcome="ok"\}/) > 0);
    assert.ok(sum(/^process_resident_memory_bytes/) > 2 ** 25);
  });

  test('the CPU time is found as libvirt’s ESX driver looks for it', async () => {
    await using client = await host().connect();
    const { perfManager } = await client.content();
    if (!perfManager) throw new Error('the host has no PerformanceManager');
    const entity = await findVm(client, 'demo');
    const available = await client.call(perfManager, 'QueryAvailablePerfMetric', { entity });
    const counterId = [...new Set((available ?? []).map((metric) => metric.counterId))];
    const counters = (await client.call(perfManager, 'QueryPerfCounter', { counterId })) ?? [];
    const used = counters.find(
      ({ groupInfo, nameInfo, unitInfo }) =>
        groupInfo.key === 'cpu' && nameInfo.key === 'used' && unitInfo.key === 'millisecond',
    );
    assert.ok(used);
    const spec = { entity, maxSample: 1, metricId: [{ counterId: used.key, instance: '' }], format: 'normal' };
    const [answer] = (await client.call(perfManager, 'QueryPerf', { querySpec: [spec] })) ?? [];
    assert.ok(isA('PerfEntityMetric', answer));
    assert.equal(answer.sampleInfo?.length, 1);
    const [series] = answer.value ?? [];
    assert.ok(isA('PerfMetricIntSeries', series) && (series.value?.[0] ?? 0) > 0);
  });
});

function fetched(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (answer) => {
      answer.resume().on('end', resolve).on('error', reject);
    }).on('error', reject);
  });
}
