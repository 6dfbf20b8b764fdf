// Performance statistics over two real hosts: real time through vCenter, five minutes collected, levels changed, Prometheus.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lines, useGovc, withoutGovc } from '../govc/use-govc.ts';
import { scrape } from '../testing/metrics.ts';
import { useLabCenter } from '../testing/use-lab-center.ts';
import { waitFor } from '../testing/wait-for.ts';

const CLUSTER = '/DC/host/Cluster';
/** A period, the hosts' roll-up, vCenter's round, and some patience. */
const COLLECTED_MS = 420_000;

interface Sampled {
  readonly sample: readonly {
    /** null while there are none. */
    readonly sampleInfo: readonly { readonly timestamp: string; readonly interval: number }[] | null;
    readonly value: readonly { readonly instance: string; readonly value: readonly number[] }[] | null;
  }[];
}

describe('statistics of a vCenter', { skip: withoutGovc }, () => {
  const lab = useLabCenter(2);
  const govc = useGovc(lab);
  const whole = async (path: string, name: string, ...options: string[]) => {
    const {
      sample: [entity],
    } = await govc.json<Sampled>('metric.sample', '-n', '180', '-instance', '-', ...options, path, name);
    return new Map(entity?.sampleInfo?.map(({ timestamp }, index) => [timestamp, entity.value?.[0]?.value[index]]));
  };

  test('real-time samples of a VM and of hosts come through vCenter', async () => {
    const samples = await waitFor('two samples of the VM', async () => {
      const found = await whole('vm/demo', 'cpu.usagemhz.average');
      return found.size >= 2 ? found : undefined;
    });
    assert.ok([...samples.values()].every((value) => value !== undefined && value >= 0));
    const ofVm = lines(await govc('metric.ls', 'vm/demo'));
    assert.ok(ofVm.includes('virtualDisk.read.average') && ofVm.includes('net.received.average'));
    const ofHosts = await govc.json<Sampled>(
      'metric.sample',
      '-instance',
      '-',
      `${CLUSTER}/esx*`,
      'mem.consumed.average',
    );
    assert.equal(ofHosts.sample.length, 2);
    assert.match(await govc('metric.info', 'vm/demo', 'cpu.ready.summation'), /Realtime: +true\n {2}Historical: +true/);
    assert.match(await govc('metric.info', CLUSTER, 'cpu.usage.average'), /Realtime: +false\n {2}Historical: +true/);
  });

  test('intervals and levels are vCenter’s, and can be changed', async () => {
    const info = await govc('metric.interval.info');
    assert.deepEqual(
      [...info.matchAll(/Name: +(.+)/g)].map(([, name]) => name),
      ['Past day', 'Past week', 'Past month', 'Past year'],
    );
    await govc('metric.interval.change', '-i', '300', '-level', '2');
    assert.match(await govc('metric.interval.info', '-i', '300'), /Level: +2/);
    await govc.refused(/not correct: interval\.level/, 'metric.interval.change', '-i', '1800', '-level', '3');
    await govc('metric.change', '-level', '1', 'cpu.run.summation');
    assert.match(await govc('metric.info', '-', 'cpu.run.summation'), / Level: +1\n {4}Intervals: +Past day,Past week/);
    await govc('metric.reset', 'cpu.run.summation');
    assert.match(await govc('metric.info', '-', 'cpu.run.summation'), / Level: +2\n {4}Intervals: +Past day\n/);
  });

  test('five minutes are collected of the hosts, and the cluster is what they add up to', async () => {
    const cluster = await waitFor(
      'the first five minutes of the cluster',
      async () => {
        const found = await whole(CLUSTER, 'cpu.usagemhz.average', '-i', 'day');
        return found.size > 0 ? found : undefined;
      },
      COLLECTED_MS,
    );
    const names = lines(await govc('ls', CLUSTER)).filter((path) => /esx\d/.test(path));
    const hosts = await Promise.all(names.map((name) => whole(name, 'cpu.usagemhz.average', '-i', 'day')));
    for (const [timestamp, value] of cluster) {
      assert.equal(
        value,
        hosts.reduce((sum, host) => sum + (host.get(timestamp) ?? 0), 0),
        timestamp,
      );
    }
    assert.ok((await whole('vm/demo', 'mem.active.average', '-i', 'day')).size > 0, 'level 2 since the test before');
    const pool = `${CLUSTER}/Resources`;
    const [[time, used] = ['', 0]] = await whole(pool, 'cpu.usagemhz.average', '-i', 'day');
    assert.equal(used, (await whole('vm/demo', 'cpu.usagemhz.average', '-i', 'day')).get(time), 'one VM is all of it');
    assert.ok((await whole(CLUSTER, 'vmop.numPoweron.latest', '-i', 'day')).size > 0);
  });

  test('Prometheus is told of all hosts', async () => {
    const { env, url } = lab();
    const account = { userName: env['GOVC_USERNAME'] ?? '', password: env['GOVC_PASSWORD'] ?? '' };
    assert.equal((await scrape(url)).status, 401);
    const { status, sum } = await scrape(url, account);
    assert.equal(status, 200);
    assert.equal(sum(/^vivarium_hosts\{connection_state="connected"\}/), 2);
    assert.equal(sum(/^vivarium_virtual_machines\{power_state="poweredOn"\}/), 1);
    assert.ok(sum(/^vivarium_host_memory_capacity_bytes/) > 2 ** 30);
  });
});
