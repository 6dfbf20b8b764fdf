import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MoRef } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { testCenter } from '../testing/test-center.ts';
import { resourceUsage } from './resource-usage.ts';

const host = (connectionState: string) =>
  ({
    summary: {
      hardware: { cpuMhz: 2000, numCpuCores: 4, memorySize: 8 * 2 ** 30 },
      quickStats: { overallCpuUsage: 500, overallMemoryUsage: 1024 },
    },
    runtime: { connectionState },
  }) as never;

const datastore = (accessible: boolean) => ({ accessible, capacity: 10 * 2 ** 30, freeSpace: 4 * 2 ** 30 }) as never;

void test('what hosts have and use is added up, without those that are away', () => {
  const hosts = [host('connected'), host('connected'), host('notResponding')];
  assert.deepEqual(resourceUsage(hosts, [datastore(true), datastore(false), undefined]), {
    _typeName: 'ClusterResourceUsageSummary',
    cpuUsedMHz: 1000,
    cpuCapacityMHz: 16_000,
    memUsedMB: 2048,
    memCapacityMB: 16_384,
    storageUsedMB: 6144,
    storageCapacityMB: 10_240,
  });
});

void test('a cluster tells of its hosts, and has no EVC', async (context) => {
  const center = await testCenter(context);
  const { cluster } = await center.cluster();
  await center.addHost(cluster as MoRef, new FakeHost('esx1'));
  const usage = await center.invoke<ReturnType<typeof resourceUsage>>(cluster as MoRef, 'GetResourceUsage');
  const { effectiveMemory } = center.read<{ effectiveMemory: number }>(cluster as MoRef, 'summary');
  assert.equal(usage.memCapacityMB, effectiveMemory);
  assert.equal(usage.cpuCapacityMHz, 8000);
  assert.equal(await center.invoke(cluster as MoRef, 'EvcManager'), undefined);
});
