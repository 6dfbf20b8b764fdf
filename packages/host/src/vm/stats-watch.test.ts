import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turns, VirtualClock } from '../testing/virtual-clock.ts';
import { StatsWatch, statsBetween } from './stats-watch.ts';
import type { VmStats } from './vm-view.ts';
import type { VmmUsage } from './vmm.ts';

const usage = (cpuSeconds: number, residentMB = 100, balloonedMB = 0): VmmUsage => ({
  cpuSeconds,
  residentBytes: residentMB * 2 ** 20,
  balloonedBytes: balloonedMB * 2 ** 20,
});

void test('load is CPU time over wall time, in MHz of the host', () => {
  const between = (cpu: number, ms: number) =>
    statsBetween({ usage: usage(10), atMs: 0 }, { usage: usage(10 + cpu, 256, 64), atMs: ms }, 2_400);
  assert.deepEqual(between(10, 20_000), { cpuUsageMhz: 1_200, hostMemoryMB: 256, balloonedMB: 64 });
  assert.equal(between(40, 20_000).cpuUsageMhz, 4_800, 'two busy vCPUs');
  assert.equal(between(0, 20_000).cpuUsageMhz, 0);
  assert.equal(between(-5, 20_000).cpuUsageMhz, 0, 'another process by the same number');
  assert.equal(between(1, 0).cpuUsageMhz, 0, 'no time, no load');
});

void test('memory is known at once, load after twenty seconds, and again every twenty', async () => {
  const clock = new VirtualClock();
  const seen: VmStats[] = [];
  let cpu = 0;
  const watch = new StatsWatch({
    clock,
    cpuMhz: 1_000,
    usage: async () => usage(cpu),
    sampled: (stats) => void seen.push(stats),
  });
  await turns();
  assert.deepEqual(seen, [{ cpuUsageMhz: 0, hostMemoryMB: 100, balloonedMB: 0 }]);
  cpu = 5;
  await clock.advance(20_000);
  assert.equal(seen.at(-1)?.cpuUsageMhz, 250);
  await clock.advance(20_000);
  assert.equal(seen.at(-1)?.cpuUsageMhz, 0);
  assert.equal(seen.length, 3);
  assert.deepEqual(clock.timers, [20_000], 'one timer a VM');
  watch.stop();
  assert.deepEqual(clock.timers, []);
});

void test('a sample that fails is left out, and does not end the watch', async () => {
  const clock = new VirtualClock();
  const seen: VmStats[] = [];
  let fails = true;
  const watch = new StatsWatch({
    clock,
    cpuMhz: 1_000,
    usage: () => (fails ? Promise.reject(new Error('gone')) : Promise.resolve(usage(1))),
    sampled: (stats) => void seen.push(stats),
  });
  await turns();
  fails = false;
  await clock.advance(20_000);
  assert.equal(seen.length, 1);
  watch.stop();
});
