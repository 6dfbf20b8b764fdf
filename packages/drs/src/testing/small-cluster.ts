// Hosts and VMs for tests and benchmarks: one field at a time differs from the ordinary.

import { type ClusterConfigInfoEx, moRef } from '@vivarium/vim';
import { defaultClusterConfig } from '../cluster-config/default-cluster-config.ts';
import type { ClusterSnapshot } from '../placement/cluster-snapshot.ts';
import { PoolTree } from '../resource-pool/pool-tree.ts';
import { CompiledRules } from '../rules/compiled-rules.ts';
import type { HostSnapshot } from '../snapshot/host-snapshot.ts';
import type { VmNeeds } from '../snapshot/vm-needs.ts';

export const hostRef = (id: number) => moRef('HostSystem', `host-${id}`);
export const vmRef = (id: number) => moRef('VirtualMachine', `vm-${id}`);

/** 10 GHz, 10 GB, 8 threads, nothing running. */
export function testHost(id: number, differs: Partial<HostSnapshot> = {}): HostSnapshot {
  return {
    host: hostRef(id),
    name: `esx-${id}`,
    connectionState: 'connected',
    powerState: 'poweredOn',
    isInMaintenance: false,
    capacity: { cpuMhz: 10_000, memoryMB: 10_000 },
    reserved: { cpuMhz: 0, memoryMB: 0 },
    demand: { cpuMhz: 0, memoryMB: 0 },
    vmCount: 0,
    numCpuThreads: 8,
    limits: { maxVcpusPerVm: 64, maxMemoryMBPerVm: 65_536, maxRunningVms: 1024 },
    hardwareVersions: new Set(['vmx-19', 'vmx-21']),
    features: new Map([
      ['cpuid.Intel', '1'],
      ['cpuid.aes', '1'],
    ]),
    datastores: new Set(['datastore-1']),
    networks: new Set(['network-1', 'dvportgroup-2']),
    ...differs,
  };
}

/** 1 vCPU, 1 GB, wants 1 GHz and 1 GB, reserves nothing. */
export function testVm(id: number, differs: Partial<VmNeeds> = {}): VmNeeds {
  const datastore = moRef('Datastore', 'datastore-1');
  return {
    vm: vmRef(id),
    name: `web-${id}`,
    pool: 'root',
    numCpu: 1,
    memoryMB: 1024,
    hardwareVersion: 'vmx-21',
    home: { datastore, name: 'datastore1' },
    disks: [{ datastore, name: 'datastore1', label: 'Hard disk 1', fileName: `[datastore1] web-${id}/web-${id}.vmdk` }],
    nics: [
      {
        label: 'Network adapter 1',
        networkName: 'VM Network',
        network: moRef('Network', 'network-1'),
        isConnected: true,
      },
    ],
    featureRequirements: [],
    reservation: { cpuMhz: 0, memoryMB: 0 },
    demand: { cpuMhz: 1000, memoryMB: 1000 },
    ...differs,
  };
}

/** `running`: host by VM. DRS is on, unless the configuration says otherwise. */
export function testCluster(
  hosts: readonly HostSnapshot[],
  config: Partial<ClusterConfigInfoEx> = {},
  running: Readonly<Record<string, number>> = {},
): ClusterSnapshot {
  const base = defaultClusterConfig();
  const total = (amount: (host: HostSnapshot) => number) => hosts.reduce((sum, host) => sum + amount(host), 0);
  const pools = new PoolTree('root', {
    cpuMhz: total(({ capacity }) => capacity.cpuMhz),
    memoryMB: total(({ capacity }) => capacity.memoryMB),
  });
  pools.reserve('root', {
    cpuMhz: total(({ reserved }) => reserved.cpuMhz),
    memoryMB: total(({ reserved }) => reserved.memoryMB),
  });
  return {
    hosts,
    pools,
    rules: CompiledRules.of({ ...base, drsConfig: { ...base.drsConfig, enabled: true }, ...config }),
    hostOf: (vm) => (running[vm] === undefined ? undefined : hostRef(running[vm])),
  };
}
