// EnvironmentBrowser: what a VM of this host may be made of.

import type { HostCapability } from '@vivarium/vim';
import { type ConfigTarget, type Handlers, make } from '@vivarium/vim';
import type { Call, ObjectGraph } from '@vivarium/vmomi';
import { configOptionDescriptors, type OptionLimits, virtualMachineConfigOption } from '@vivarium/vmx';

export interface EnvironmentContext {
  readonly graph: ObjectGraph;
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
    QueryConfigTarget: () => configTarget(context),
    QueryTargetCapabilities: () => context.capability,
  };
}

function configTarget({ graph, limits }: EnvironmentContext): ConfigTarget {
  const datastores = [...graph.ofType('Datastore')];
  const networks = [...graph.ofType('Network')];
  return make('ConfigTarget', {
    numCpus: limits.numCPUs,
    numCpuCores: limits.numCPUs,
    numNumaNodes: 0,
    smcPresent: false,
    maxMemMBOptimalPerf: limits.memoryMB,
    supportedMaxMemMB: limits.memoryMB,
    autoVmotion: false,
    datastore: datastores.flatMap((object) => {
      const summary = object.get('summary');
      const capability = object.get('capability');
      if (!summary || !capability) return [];
      return [
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
      ];
    }),
    network: networks.flatMap((object) => {
      const summary = object.get('summary');
      return summary ? [make('VirtualMachineNetworkInfo', { name: summary.name, network: summary })] : [];
    }),
  });
}
