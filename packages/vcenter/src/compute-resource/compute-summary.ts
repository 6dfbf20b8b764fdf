// What a compute resource has: the sum of its hosts. Pure.
import {
  type ClusterComputeResourceSummary,
  type ComputeResourceSummary,
  type HostListSummary,
  type HostRuntimeInfo,
  make,
} from '@vivarium/vim';

export interface HostShare {
  readonly summary: HostListSummary | undefined;
  readonly runtime: HostRuntimeInfo | undefined;
}

export function computeSummary(hosts: readonly HostShare[]): ComputeResourceSummary {
  return make('ComputeResourceSummary', totals(hosts));
}

export function clusterSummary(hosts: readonly HostShare[]): ClusterComputeResourceSummary {
  return make('ClusterComputeResourceSummary', { ...totals(hosts), currentFailoverLevel: 0, numVmotions: 0 });
}

function totals(hosts: readonly HostShare[]) {
  const total = (share: (summary: HostListSummary) => number | undefined, of: readonly HostShare[]) =>
    of.reduce((sum, { summary }) => sum + ((summary && share(summary)) ?? 0), 0);
  const cpuMhz = ({ hardware }: HostListSummary) => (hardware ? hardware.cpuMhz * hardware.numCpuCores : 0);
  // Effective: what is there to run VMs on now.
  const effective = hosts.filter(
    ({ runtime }) => runtime?.connectionState === 'connected' && !runtime.inMaintenanceMode,
  );
  return {
    totalCpu: total(cpuMhz, hosts),
    totalMemory: total(({ hardware }) => hardware?.memorySize, hosts),
    numCpuCores: total(({ hardware }) => hardware?.numCpuCores, hosts),
    numCpuThreads: total(({ hardware }) => hardware?.numCpuThreads, hosts),
    effectiveCpu: total(cpuMhz, effective),
    effectiveMemory: Math.floor(total(({ hardware }) => hardware?.memorySize, effective) / 2 ** 20),
    numHosts: hosts.length,
    numEffectiveHosts: effective.length,
    overallStatus: hosts.some(({ runtime }) => runtime?.connectionState === 'notResponding') ? 'yellow' : 'green',
  } as const;
}
