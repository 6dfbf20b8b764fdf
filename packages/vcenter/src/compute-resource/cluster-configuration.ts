// A cluster's configuration through the rules of @vivarium/drs, and in the old form that some clients still read.
import { applyClusterConfigSpec, defaultClusterConfig } from '@vivarium/drs';
import {
  type ClusterConfigInfo,
  type ClusterConfigInfoEx,
  type ClusterConfigSpec,
  type ClusterConfigSpecEx,
  type MoRef,
  make,
} from '@vivarium/vim';
import type { Center } from '../center.ts';

/** What CreateCluster(Ex) makes of its specification. Nothing is a member yet. */
export function newConfiguration(
  center: Center,
  cluster: MoRef<'ClusterComputeResource'>,
  spec: ClusterConfigSpec | ClusterConfigSpecEx,
): ClusterConfigInfoEx {
  return applyClusterConfigSpec(defaultClusterConfig(), spec, contextOf(center, cluster, defaultClusterConfig()), true);
}

/** ReconfigureComputeResource_Task of a cluster. */
export function reconfigureCluster(
  center: Center,
  cluster: MoRef<'ClusterComputeResource'>,
  spec: ClusterConfigSpec | ClusterConfigSpecEx,
  modify: boolean,
): Promise<void> {
  const { inventory } = center;
  return inventory.exclusively(async () => {
    const record = inventory.get(cluster);
    const context = contextOf(center, cluster, record.configuration);
    const configuration = applyClusterConfigSpec(record.configuration, spec, context, modify);
    await inventory.apply([{ put: cluster, record: { ...record, configuration } }]);
  });
}

export function oldForm({
  dasConfig,
  dasVmConfig,
  drsConfig,
  drsVmConfig,
  rule,
}: ClusterConfigInfoEx): ClusterConfigInfo {
  return make('ClusterConfigInfo', { dasConfig, dasVmConfig, drsConfig, drsVmConfig, rule });
}

function contextOf(
  { inventory, newUuid }: Center,
  cluster: MoRef<'ClusterComputeResource'>,
  configuration: ClusterConfigInfoEx,
) {
  let lastRule = Math.max(0, ...(configuration.rule ?? []).map(({ key }) => key ?? 0));
  return {
    cluster,
    isMember: (ref: { readonly type: string; readonly value: string }) => {
      if (ref.type === 'HostSystem') return inventory.find(ref as MoRef<'HostSystem'>)?.parent.value === cluster.value;
      const vm = inventory.find(ref as MoRef<'VirtualMachine'>);
      return vm !== undefined && inventory.find(vm.host)?.parent.value === cluster.value;
    },
    nextRuleKey: () => ++lastRule,
    newUuid,
  };
}
