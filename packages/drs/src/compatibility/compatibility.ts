// Which hosts could run a VM at all, whatever else runs there: state, hardware, features, datastores, networks. Pure.

import { MethodFault, toLocalizedMethodFault } from '@vivarium/vim';
import type { HostSnapshot } from '../snapshot/host-snapshot.ts';
import type { DatastoreNeed, VmNeeds } from '../snapshot/vm-needs.ts';
import { isFeatureMet } from './feature-requirement.ts';

/** One reason why not. `isMet` is asked for thousands of hosts and makes no garbage; `faults` only for the few that are shown. */
interface Check {
  readonly isMet: (vm: VmNeeds, host: HostSnapshot) => boolean;
  readonly faults: (vm: VmNeeds, host: HostSnapshot) => MethodFault[];
}

const CHECKS: readonly Check[] = [
  {
    isMet: (_, { connectionState }) => connectionState === 'connected',
    faults: (_, { host }) => [new MethodFault('InvalidHostConnectionState', { host })],
  },
  {
    isMet: (_, { isInMaintenance, powerState }) => !isInMaintenance && powerState === 'poweredOn',
    faults: (_, { host }) => [new MethodFault('InvalidHostState', { host })],
  },
  {
    isMet: ({ numCpu }, { limits }) => numCpu <= limits.maxVcpusPerVm,
    faults: ({ numCpu }, { limits }) => [
      new MethodFault('NumVirtualCpusNotSupported', { maxSupportedVcpusDest: limits.maxVcpusPerVm, numCpuVm: numCpu }),
    ],
  },
  {
    isMet: ({ numCpu }, { numCpuThreads }) => numCpu <= numCpuThreads,
    faults: ({ numCpu }, { numCpuThreads, host }) => [
      new MethodFault('NotEnoughLogicalCpus', { numCpuDest: numCpuThreads, numCpuVm: numCpu, host }),
    ],
  },
  {
    isMet: ({ memoryMB }, { limits }) => memoryMB <= limits.maxMemoryMBPerVm,
    faults: ({ memoryMB }, { limits }) => [
      new MethodFault('MemorySizeNotSupported', {
        memorySizeMB: memoryMB,
        minMemorySizeMB: 4,
        maxMemorySizeMB: limits.maxMemoryMBPerVm,
      }),
    ],
  },
  {
    isMet: ({ hardwareVersion }, { hardwareVersions }) => hardwareVersions.has(hardwareVersion),
    faults: (_, { host, name }) => [new MethodFault('VirtualHardwareVersionNotSupported', { host, hostName: name })],
  },
  {
    isMet: (vm, { features }) => vm.featureRequirements.every((requirement) => isFeatureMet(requirement, features)),
    faults: (vm, { features, host }) => [
      new MethodFault('FeatureRequirementsNotMet', {
        featureRequirement: vm.featureRequirements
          .filter((requirement) => !isFeatureMet(requirement, features))
          .map(({ requirement }) => requirement),
        vm: vm.vm,
        host,
      }),
    ],
  },
  {
    isMet: ({ home }, { datastores }) => datastores.has(home.datastore.value),
    faults: ({ home }) => [new MethodFault('CannotAccessVmConfig', { reason: inaccessible(home) })],
  },
  {
    isMet: ({ disks }, { datastores }) => disks.every(({ datastore }) => datastores.has(datastore.value)),
    faults: ({ disks }, { datastores }) =>
      disks
        .filter(({ datastore }) => !datastores.has(datastore.value))
        .map(
          (disk) =>
            new MethodFault('CannotAccessVmDisk', {
              device: disk.label,
              backing: disk.fileName,
              connected: true,
              fault: inaccessible(disk),
            }),
        ),
  },
  {
    isMet: ({ nics }, { networks }) => nics.every((nic) => !nic.isConnected || networks.has(nic.network.value)),
    faults: ({ nics }, { networks }) =>
      nics
        .filter(({ isConnected, network }) => isConnected && !networks.has(network.value))
        .map(
          (nic) =>
            new MethodFault('CannotAccessNetwork', {
              device: nic.label,
              backing: nic.networkName,
              connected: true,
              network: nic.network,
            }),
        ),
  },
];

/** Whether the host could run the VM if it had the capacity. */
export function isCompatible(vm: VmNeeds, host: HostSnapshot): boolean {
  for (const { isMet } of CHECKS) {
    if (!isMet(vm, host)) return false;
  }
  return true;
}

/** Every reason why it could not, as vim25 faults; the same answer as `isCompatible`. */
export function findIncompatibilities(vm: VmNeeds, host: HostSnapshot): MethodFault[] {
  return CHECKS.flatMap(({ isMet, faults }) => (isMet(vm, host) ? [] : faults(vm, host)));
}

function inaccessible({ datastore, name }: DatastoreNeed) {
  return toLocalizedMethodFault(new MethodFault('InaccessibleDatastore', { datastore, name }));
}
