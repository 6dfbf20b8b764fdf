// What placement looks at, copied out of the graph: the hosts of a compute resource as they are now.
import { type ClusterSnapshot, CompiledRules, type HostSnapshot } from '@vivarium/drs';
import { type HostListSummary, type HostRuntimeInfo, type MoRef, make } from '@vivarium/vim';
import type { Center } from '../center.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import { reservationOf } from '../resource-pool/vm-reservation.ts';

/** vSphere 8's maximums, where a host does not say. */
const MOST_VCPUS = 768;
const MOST_MEMORY_MB = 24 * 2 ** 20;
const MOST_RUNNING_VMS = 1024;

const NO_RULES = make('ClusterDrsConfigInfo', { enabled: false });

/** `hardwareVersion`: of the VM that is to be placed; our hosts run every version that they can make. */
export function clusterSnapshot(
  center: Center,
  owner: MoRef<'ComputeResource'>,
  hardwareVersion: string,
): ClusterSnapshot {
  const { inventory, pools, hosts } = center;
  const record = inventory.get(owner) as EntityRecord<'ComputeResource'> &
    Partial<EntityRecord<'ClusterComputeResource'>>;
  return {
    hosts: hosts.hostsOf(owner).map((host) => hostSnapshot(center, host, hardwareVersion)),
    pools: pools.treeOf(record.resourcePool),
    rules: CompiledRules.of(record.configuration ?? { rule: [], group: [], drsConfig: NO_RULES }),
    hostOf: (vm) => {
      const known = inventory.find({ type: 'VirtualMachine', value: vm } as MoRef<'VirtualMachine'>);
      return known && isRunning(center, vm) ? known.host : undefined;
    },
  };
}

function hostSnapshot(center: Center, host: MoRef<'HostSystem'>, hardwareVersion: string): HostSnapshot {
  const { service, inventory, hosts, vms } = center;
  const object = service.graph.find(host);
  const summary = object?.getPath('summary') as HostListSummary | undefined;
  const runtime = object?.getPath('runtime') as HostRuntimeInfo | undefined;
  const capability = object?.get('capability');
  const { hardware, quickStats } = summary ?? {};
  const running = vms.onHost(host).filter(([{ value }]) => isRunning(center, value));
  const reserved = { cpuMhz: 0, memoryMB: 0 };
  for (const [vm] of running) {
    const { cpuMhz, memoryMB } = reservationOf(service.graph.find(vm)?.get('summary'));
    reserved.cpuMhz += cpuMhz;
    reserved.memoryMB += memoryMB;
  }
  return {
    host,
    name: inventory.get(host).name,
    connectionState: hosts.isConnected(host) ? 'connected' : 'notResponding',
    powerState: 'poweredOn',
    isInMaintenance: (runtime?.inMaintenanceMode ?? false) || inventory.get(host).inMaintenanceMode,
    capacity: {
      cpuMhz: (hardware?.cpuMhz ?? 0) * (hardware?.numCpuCores ?? 0),
      memoryMB: Math.floor((hardware?.memorySize ?? 0) / 2 ** 20),
    },
    reserved,
    demand: { cpuMhz: quickStats?.overallCpuUsage ?? 0, memoryMB: quickStats?.overallMemoryUsage ?? 0 },
    vmCount: running.length,
    numCpuThreads: hardware?.numCpuThreads ?? 0,
    limits: {
      maxVcpusPerVm: MOST_VCPUS,
      maxMemoryMBPerVm: MOST_MEMORY_MB,
      maxRunningVms: capability?.maxRunningVMs ?? MOST_RUNNING_VMS,
    },
    hardwareVersions: new Set([hardwareVersion]),
    features: new Map(),
    datastores: new Set((object?.get('datastore') ?? []).map(({ value }) => value)),
    networks: new Set((object?.get('network') ?? []).map(({ value }) => value)),
  };
}

function isRunning({ service }: Center, vm: string): boolean {
  const object = service.graph.find({ type: 'VirtualMachine', value: vm } as MoRef<'VirtualMachine'>);
  return object?.getPath('runtime.powerState') === 'poweredOn';
}
