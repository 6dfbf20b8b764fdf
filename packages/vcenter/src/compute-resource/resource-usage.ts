// What a cluster's connected hosts and its datastores have, and how much of it is used. Pure.
// Source: vSphere Web Services API, ClusterResourceUsageSummary.
import { type ClusterResourceUsageSummary, type DatastoreSummary, make } from '@vivarium/vim';
import type { HostShare } from './compute-summary.ts';

export function resourceUsage(
  hosts: readonly HostShare[],
  datastores: readonly (DatastoreSummary | undefined)[],
): ClusterResourceUsageSummary {
  const usage = { cpuUsedMHz: 0, cpuCapacityMHz: 0, memUsedMB: 0, memCapacityMB: 0 };
  for (const { summary, runtime } of hosts) {
    if (runtime?.connectionState !== 'connected') continue;
    const { hardware, quickStats } = summary ?? {};
    usage.cpuUsedMHz += quickStats?.overallCpuUsage ?? 0;
    usage.memUsedMB += quickStats?.overallMemoryUsage ?? 0;
    usage.cpuCapacityMHz += (hardware?.cpuMhz ?? 0) * (hardware?.numCpuCores ?? 0);
    usage.memCapacityMB += inMB(hardware?.memorySize ?? 0);
  }
  const storage = { storageUsedMB: 0, storageCapacityMB: 0 };
  for (const summary of datastores) {
    if (!summary?.accessible) continue;
    storage.storageCapacityMB += inMB(summary.capacity);
    storage.storageUsedMB += inMB(summary.capacity - summary.freeSpace);
  }
  return make('ClusterResourceUsageSummary', { ...usage, ...storage });
}

function inMB(bytes: number): number {
  return Math.floor(bytes / 2 ** 20);
}
