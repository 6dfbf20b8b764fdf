// Initial placement in vCenter's largest inventory: one VM among 2,500 hosts, and 1,000 VMs that power on together. No hypervisor runs.
import {
  type ClusterSnapshot,
  CompiledRules,
  defaultClusterConfig,
  type HostSnapshot,
  parseFeatureRequirement,
  placeVms,
  type VmNeeds,
} from '@vivarium/drs';
import { PoolTree } from '@vivarium/drs/resource-pool';
import { make, moRef } from '@vivarium/vim';
import { type Benchmark, boundedFigure, median } from './figure.ts';

const HOSTS = 2_500;
const VMS = 1_000;
const RUNS = 9;
const CAPACITY = { cpuMhz: 64 * 2_500, memoryMB: 1_048_576 };

export const placement: Benchmark = {
  name: 'placement',
  about: `initial placement on ${HOSTS} hosts`,
  run(report) {
    const cluster = newCluster(HOSTS);
    const small = newCluster(HOSTS / 10);
    const vms = Array.from({ length: VMS }, (_, index) => newVm(index));
    const first = measure(() => placeVms(vms.slice(0, 1), cluster).placed.length, 1);
    const aim = 'none: mostly the compiling of the code';
    report({ name: 'placement.first-vms', value: median(first), unit: 'ms', aim, met: undefined, runs: first });
    const many = measure(() => placeVms(vms, cluster).placed.length, VMS);
    report(boundedFigure(`placement.${VMS}-vms`, 'ms', many, median(many), 2_000));
    // In a process that has placed others.
    const one = measure(() => placeVms(vms.slice(0, 1), cluster).placed.length, 1);
    report(boundedFigure('placement.one-vm', 'ms', one, median(one), 5));
    const fewer = measure(() => placeVms(vms, small).placed.length, VMS);
    const growth = many.map((value, run) => value / (10 * (fewer[run] ?? Number.NaN)));
    report(boundedFigure('placement.growth-per-host', 'x', growth, median(growth), 1.2));
    return Promise.resolve();
  },
};

/** Milliseconds of processor time a run, which a busy machine leaves alone; the first one warms up. */
function measure(run: () => number, expected: number): number[] {
  return Array.from({ length: RUNS + 1 }, () => {
    const started = process.cpuUsage();
    const placed = run();
    if (placed !== expected) throw new Error(`${placed} VMs placed instead of ${expected}`);
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1_000;
  }).slice(1);
}

/** Demands and reservations differ from host to host, always in the same way; one VM in ten has a rule. */
function newCluster(count: number): ClusterSnapshot {
  const hosts = Array.from({ length: count }, (_, index) => newHost(index));
  const rule = Array.from({ length: VMS / 10 }, (_, index) =>
    make(index % 2 === 0 ? 'ClusterAntiAffinityRuleSpec' : 'ClusterAffinityRuleSpec', {
      key: index + 1,
      enabled: true,
      vm: [0, 1, 2].map((offset) => moRef('VirtualMachine', `vm-${index * 10 + offset}`)),
    }),
  );
  const config = defaultClusterConfig();
  return {
    hosts,
    pools: new PoolTree('root', { cpuMhz: count * CAPACITY.cpuMhz, memoryMB: count * CAPACITY.memoryMB }),
    rules: CompiledRules.of({ ...config, drsConfig: { ...config.drsConfig, enabled: true }, rule }),
    hostOf: () => undefined,
  };
}

function newHost(index: number): HostSnapshot {
  const share = ((index * 7_919) % 1_000) / 1_000;
  return {
    host: moRef('HostSystem', `host-${index}`),
    name: `esx-${index}`,
    connectionState: 'connected',
    powerState: 'poweredOn',
    isInMaintenance: index % 50 === 0,
    capacity: CAPACITY,
    reserved: { cpuMhz: 0.3 * share * CAPACITY.cpuMhz, memoryMB: 0.3 * share * CAPACITY.memoryMB },
    demand: { cpuMhz: 0.6 * share * CAPACITY.cpuMhz, memoryMB: 0.7 * share * CAPACITY.memoryMB },
    vmCount: 18,
    numCpuThreads: 64,
    limits: { maxVcpusPerVm: 768, maxMemoryMBPerVm: 25_165_824, maxRunningVms: 1_024 },
    hardwareVersions: new Set(['vmx-19', 'vmx-20', 'vmx-21', 'vmx-22']),
    features: new Map([
      ['cpuid.Intel', '1'],
      ['cpuid.aes', '1'],
      ['cpuid.avx2', '1'],
    ]),
    datastores: new Set(Array.from({ length: 8 }, (_, offset) => `datastore-${(index + offset) % 16}`)),
    networks: new Set(['network-1', 'dvportgroup-2', 'dvportgroup-3']),
  };
}

function newVm(index: number): VmNeeds {
  const datastore = moRef('Datastore', `datastore-${index % 16}`);
  const size = 1 + (index % 8);
  return {
    vm: moRef('VirtualMachine', `vm-${index}`),
    name: `web-${index}`,
    pool: 'root',
    numCpu: size,
    memoryMB: size * 4_096,
    hardwareVersion: 'vmx-21',
    home: { datastore, name: datastore.value },
    disks: [{ datastore, name: datastore.value, label: 'Hard disk 1', fileName: `[${datastore.value}] web.vmdk` }],
    nics: [
      {
        label: 'Network adapter 1',
        networkName: 'lab',
        network: moRef('DistributedVirtualPortgroup', 'dvportgroup-2'),
        isConnected: true,
      },
    ],
    featureRequirements: ['cpuid.Intel', 'cpuid.aes'].map((key) =>
      parseFeatureRequirement({ key, featureName: key, value: 'Bool:Min:1' }),
    ),
    reservation: { cpuMhz: 500, memoryMB: 256 },
    demand: { cpuMhz: size * 2_500, memoryMB: size * 4_096 },
  };
}
