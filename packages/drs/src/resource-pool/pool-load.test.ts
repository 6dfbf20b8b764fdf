import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualMachineSummary } from '@vivarium/vim';
import { isSameLoad, loadOfVm, noLoad, plusLoad, poolFigures, sumLoads } from './pool-load.ts';

const summary = (powerState: string, cpu: number) =>
  ({
    config: { memorySizeMB: 512 },
    runtime: { powerState, memoryOverhead: 2 ** 20 + 1 },
    quickStats: { overallCpuUsage: cpu, overallCpuDemand: cpu + 1, guestMemoryUsage: 30, hostMemoryUsage: 40 },
  }) as unknown as VirtualMachineSummary;

void test('a VM that does not run uses nothing, and is as large as it is', () => {
  assert.deepEqual(loadOfVm(summary('poweredOff', 5)), { ...noLoad, configuredMB: 512 });
  const { cpuMhz, cpuDemandMhz, activeMB, memoryMB, overheadMB } = loadOfVm(summary('poweredOn', 5));
  assert.deepEqual(
    { cpuMhz, cpuDemandMhz, activeMB, memoryMB, overheadMB },
    {
      cpuMhz: 5,
      cpuDemandMhz: 6,
      activeMB: 30,
      memoryMB: 40,
      overheadMB: 2,
    },
  );
});

void test('a pool has what its VMs and those of pools in it use, and shows it', () => {
  const on = loadOfVm(summary('poweredOn', 5));
  const off = loadOfVm(summary('poweredOff', 0));
  const loads = [
    { pool: 'root', load: off },
    { pool: 'inner', load: on },
    { pool: 'inner', load: on },
  ];
  const sums = sumLoads(loads, (pool) => (pool === 'root' ? undefined : 'root'));
  assert.deepEqual(sums.get('inner'), plusLoad(on, on));
  const { quickStats, configuredMemoryMB } = poolFigures(sums.get('root') ?? noLoad);
  assert.equal(configuredMemoryMB, 3 * 512);
  assert.equal(quickStats.overallCpuUsage, 10);
  assert.equal(quickStats.hostMemoryUsage, 80);
  assert.equal(quickStats.overheadMemory, 4);
  assert.ok(isSameLoad(plusLoad(plusLoad(on, off), on, -1), off));
});
