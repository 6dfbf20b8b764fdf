// EnvironmentBrowser: what a VM of this host may be made of.

import {
  type ConfigTarget,
  type DatastoreCapability,
  type DatastoreSummary,
  type Handlers,
  type HostCapability,
  make,
  type NetworkSummary,
} from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import { configOptionDescriptors, type OptionLimits, virtualMachineConfigOption } from '@vivarium/vmx';

export interface EnvironmentContext {
  /** What the host has now, as far as the caller sees it. */
  readonly datastores: (call: Call) => readonly {
    readonly summary: DatastoreSummary;
    readonly capability: DatastoreCapability;
  }[];
  readonly networks: (call: Call) => readonly NetworkSummary[];
  readonly limits: OptionLimits;
  readonly capability: HostCapability;
}

export function environmentBrowserMethods(context: EnvironmentContext): Handlers<'EnvironmentBrowser', Call> {
  return {
    QueryConfigOptionDescriptor: () => configOptionDescriptors(),
    QueryConfigOption: ({ key }) => virtualMachineConfigOption(key, context.limits),
    QueryConfigOptionEx: ({ spec }) => {
      const option = virtualMachineConfigOption(spec?.key, context.limits);
      const wanted = spec?.guestId;
      if (!option || !wanted?.length) return option;
      return {
        ...option,
        guestOSDescriptor: option.guestOSDescriptor.filter((descriptor) => wanted.includes(descriptor.id)),
      };
    },
    QueryConfigTarget: (_args, call) => configTarget(context, call),
    QueryTargetCapabilities: () => context.capability,
  };
}

function configTarget({ datastores, networks, limits }: EnvironmentContext, call: Call): ConfigTarget {
  return make('ConfigTarget', {
    numCpus: limits.numCPUs,
    numCpuCores: limits.numCPUs,
    numNumaNodes: 0,
    smcPresent: false,
    maxMemMBOptimalPerf: limits.memoryMB,
    supportedMaxMemMB: limits.memoryMB,
    autoVmotion: false,
    datastore: datastores(call).map(({ summary, capability }) =>
      make('VirtualMachineDatastoreInfo', {
        name: summary.name,
        datastore: summary,
        capability,
        maxFileSize: 64 * 2 ** 40,
        maxVirtualDiskCapacity: 62 * 2 ** 40,
        maxPhysicalRDMFileSize: 0,
        maxVirtualRDMFileSize: 0,
        mode: 'readWrite',
      }),
    ),
    network: networks(call).map((network) => make('VirtualMachineNetworkInfo', { name: network.name, network })),
  });
}
