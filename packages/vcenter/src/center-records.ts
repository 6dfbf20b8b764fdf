// Takes in an inventory that was put together elsewhere, reference by reference: first the records, then the hosts, as a vCenter comes
// back to what is in its store. For simulators; what comes in was checked by them.
import { defaultClusterConfig } from '@vivarium/drs';
import { changedPoolAllocation, normalPoolAllocation } from '@vivarium/drs/resource-pool';
import {
  type ClusterConfigInfoEx,
  type ClusterConfigSpecEx,
  type DVPortgroupConfigSpec,
  type DVPortSetting,
  type DVSCreateSpec,
  MethodFault,
  type MoRef,
  make,
  type ResourceAllocationInfo,
  type ResourceConfigSpec,
  type VAppConfigInfo,
  type VAppConfigSpec,
} from '@vivarium/vim';
import type { Center } from './center.ts';
import type { BuiltSwitch } from './center-builder.ts';
import { reconfigureCluster } from './compute-resource/cluster-configuration.ts';
import { withMembers } from './distributed-switch/change-switch.ts';
import { hiddenPortGroupName } from './distributed-switch/hidden-network.ts';
import { newPortgroup, newSwitch } from './distributed-switch/new-switch.ts';
import { stepsOfMember } from './distributed-switch/plan-host-network.ts';
import { changeSettings } from './distributed-switch/port-settings.ts';
import { connectHost } from './host-system/add-host.ts';
import type { InventoryOp } from './inventory/inventory.ts';
import { newVAppConfig } from './virtual-app/vapp-config.ts';

const ACCOUNT = { userName: 'root', password: 'simulated' };

export interface SwitchToTake {
  readonly ref: MoRef<'VmwareDistributedVirtualSwitch'>;
  readonly folder: MoRef<'Folder'>;
  readonly datacenter: MoRef<'Datacenter'>;
  readonly name: string;
  readonly uuid: string;
  readonly spec: DVSCreateSpec;
  readonly uplink: { readonly ref: MoRef<'DistributedVirtualPortgroup'>; readonly name: string | undefined };
  readonly portgroups: readonly {
    readonly ref: MoRef<'DistributedVirtualPortgroup'>;
    readonly name: string;
    readonly spec: DVPortgroupConfigSpec;
  }[];
}

export interface CenterRecords {
  /** Ids with numbers up to this one are taken. */
  skipNumbers(last: number): void;
  /** Parents before children. */
  put(ops: readonly InventoryOp[]): Promise<void>;
  /** Of a cluster that is not configured yet. */
  clusterConfig(): ClusterConfigInfoEx;
  /** What is not said is as of a new pool. Fault: InvalidArgument. */
  poolConfig(said: ResourceConfigSpec): ResourceConfigSpec;
  /** Fault: InvalidArgument. */
  appConfig(said: VAppConfigSpec): VAppConfigInfo;
  /** Whether port groups can be set so; the settings as they are kept. Faults: InvalidArgument, NotSupported. */
  checkPortSettings(said: DVPortSetting): DVPortSetting;
  /** `hostNames` of the port groups, in their order. Faults: InvalidArgument, NotSupported. */
  distributedSwitch(taken: SwitchToTake): Promise<Omit<BuiltSwitch, 'steps'>>;
  /** The hosts become members; what a host has to do to carry the switch. */
  join(
    dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
    hosts: readonly MoRef<'HostSystem'>[],
  ): Promise<BuiltSwitch['steps']>;
  connect(hosts: readonly MoRef<'HostSystem'>[]): Promise<void>;
  /** Faults: InvalidArgument, NotSupported. */
  configureCluster(cluster: MoRef<'ClusterComputeResource'>, spec: ClusterConfigSpecEx): Promise<void>;
}

export function centerRecords(center: Center): CenterRecords {
  const { inventory, lists } = center;
  return {
    skipNumbers: (last) => inventory.skipNumbers(last),
    put: (ops) => inventory.exclusively(() => inventory.applySteps(ops.map((op) => ({ ops: [op] })))),
    clusterConfig: defaultClusterConfig,
    poolConfig({ cpuAllocation, memoryAllocation }) {
      const allocation = (kind: 'cpu' | 'memory', said: ResourceAllocationInfo) =>
        changedPoolAllocation(kind, normalPoolAllocation(kind), said);
      return make('ResourceConfigSpec', {
        cpuAllocation: allocation('cpu', cpuAllocation),
        memoryAllocation: allocation('memory', memoryAllocation),
      });
    },
    appConfig: (said) => newVAppConfig(said, said.instanceUuid ?? center.newUuid()),
    checkPortSettings: (said) => changeSettings(make('VMwareDVSPortSetting', {}), said),
    distributedSwitch: (taken) => takeSwitch(center, taken),
    async join(dvs, hosts) {
      await inventory.exclusively(async () => inventory.apply(withMembers(inventory, dvs, hosts)));
      return stepsOfMember(inventory, dvs);
    },
    async connect(hosts) {
      const { instanceUuid = '' } = center.service.content.about;
      const release = lists.hold();
      try {
        for (const host of hosts) {
          const { address, port, parent } = inventory.get(host);
          const target = { address, port, thumbprint: undefined };
          const link = await center.dialer.introduce(target, ACCOUNT, { instanceUuid, force: false });
          await connectHost(center, { host, owner: parent as MoRef<'ComputeResource'> }, link);
        }
      } finally {
        release();
      }
    },
    configureCluster: (cluster, spec) => reconfigureCluster(center, cluster, spec, true),
  };
}

async function takeSwitch(
  { inventory, clock }: Center,
  { ref, folder, datacenter, name, uuid, spec, uplink, portgroups }: SwitchToTake,
): Promise<Omit<BuiltSwitch, 'steps'>> {
  const given = (...refs: readonly MoRef[]) => ({
    newRef: <T extends string>(type: T) => {
      const found = refs.find((one) => one.type === type);
      if (!found) throw new MethodFault('InvalidArgument', { invalidProperty: type });
      return found as never;
    },
  });
  const createTime = new Date(clock.now()).toISOString();
  const made = newSwitch(spec, {
    inventory: given(ref as MoRef, uplink.ref as MoRef),
    folder,
    datacenter,
    name,
    uuid,
    createTime,
  });
  await inventory.exclusively(() => inventory.apply(made.ops));
  if (uplink.name !== undefined) {
    const record = { ...inventory.get(uplink.ref), name: uplink.name };
    await inventory.exclusively(() => inventory.apply([{ put: uplink.ref, record }]));
  }
  for (const portgroup of portgroups) {
    const one = newPortgroup(given(portgroup.ref as MoRef), ref, inventory.get(ref), portgroup.name, portgroup.spec);
    const ops: InventoryOp[] = [
      { put: ref, record: one.owner },
      { put: one.ref, record: one.record },
    ];
    await inventory.exclusively(() => inventory.apply(ops));
  }
  const hostNames = portgroups.map(({ ref: { value } }) =>
    hiddenPortGroupName({ portgroupKey: value, switchUuid: uuid }),
  );
  return { ref, hostNames };
}
