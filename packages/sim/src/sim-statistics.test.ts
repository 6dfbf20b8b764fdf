import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Clock, silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { type MoRef, moRef } from '@vivarium/vim';
import { type CounterName, counterKey } from '@vivarium/vmomi';
import fc from 'fast-check';
import { parseFlags } from './flags.ts';
import { AVERAGE_LOAD, loadAt } from './load-curve.ts';
import { startSim } from './sim.ts';

const PERIOD = 300_000;

void test('a load is a function of who and when, near its average over a day, and coarser figures are the means of finer', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 30 }), fc.integer({ min: 1_600_000_000, max: 2_000_000_000 }), (seed, second) => {
      const at = (second - (second % 300)) * 1000;
      assert.equal(loadAt(seed, at, 300), loadAt(seed, at, 300));
      const fine = Array.from({ length: 15 }, (_, index) => loadAt(seed, at - index * 20_000, 20));
      const mean = fine.reduce((sum, load) => sum + load, 0) / fine.length;
      assert.ok(Math.abs(mean - loadAt(seed, at, 300)) < AVERAGE_LOAD / 2);
      assert.ok(fine.every((load) => load >= 0 && load <= 4 * AVERAGE_LOAD));
    }),
  );
  const day = Array.from({ length: 288 }, (_, index) => loadAt(7, index * PERIOD, 300));
  const mean = day.reduce((sum, load) => sum + load, 0) / day.length;
  assert.ok(Math.abs(mean - AVERAGE_LOAD) < AVERAGE_LOAD / 5, String(mean));
});

void test('vCenter shows a simulated VM as it is now, and its cluster as it was', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'viv-sim-test-'));
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
  const sim = await startSim(parseFlags(['-l', '127.0.0.1:0', '-tls=false']), {
    clock,
    random: systemRandom,
    log: silentLogger,
    version: '0',
    folder,
    progress: () => undefined,
  });
  try {
    const { statistics, service } = sim.vpxd;
    aheadMs = 3 * PERIOD;
    const untilMs = Math.floor(clock.now() / PERIOD) * PERIOD;
    await statistics.collect(untilMs);
    const [vm] = service.graph.ofType('VirtualMachine');
    const [cluster] = service.graph.ofType('ClusterComputeResource');
    const query = async (entity: MoRef | undefined, name: CounterName, periodS: number) => {
      const metrics = [{ counter: counterKey(name), instance: '' }];
      assert.ok(entity);
      const [samples] = await statistics.query([{ entity, periodS, metrics, range: {} }]);
      return samples ?? assert.fail();
    };
    const now = await query(vm?.ref as MoRef, 'cpu.usagemhz.average', 20);
    assert.ok(now.times.length >= 30 && now.series[0]?.values.every((value) => value > 0));
    const hosts = [...service.graph.ofType('HostSystem')].filter((host) => host.parent?.value === cluster?.ref.value);
    const parts = await Promise.all(hosts.map((host) => query(host.ref as MoRef, 'cpu.usagemhz.average', 300)));
    const whole = await query(cluster?.ref as MoRef, 'cpu.usagemhz.average', 300);
    assert.ok(whole.times.length >= 1);
    for (const [index] of whole.times.entries()) {
      assert.equal(
        whole.series[0]?.values[index],
        parts.reduce((sum, { series }) => sum + (series[0]?.values[index] ?? 0), 0),
      );
    }
    assert.equal(statistics.support(moRef('VirtualMachine', 'vm-1'))?.realTime, true);
  } finally {
    await sim.close();
    rmSync(folder, { recursive: true });
  }
});
