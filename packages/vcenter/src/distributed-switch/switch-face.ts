// The VmwareDistributedVirtualSwitch object. Source: vSphere Web Services API, DistributedVirtualSwitch.
import {
  type Handlers,
  isA,
  MethodFault,
  type MoRef,
  make,
  type Properties,
  type VMwareDVSConfigSpec,
} from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { EntityFace } from '../publish/publisher.ts';
import { asReference } from '../routing/as-reference.ts';
import { addPortgroups } from './change-portgroup.ts';
import { destroySwitch, reconfigureSwitch } from './change-switch.ts';
import { memberBacking, uplinkPortKeys } from './member-uplinks.ts';
import { portgroupSettings, uplinksOf } from './new-switch.ts';
import { fetchPortKeys, fetchPorts } from './switch-ports.ts';
import { vmsOn } from './switch-users.ts';
import { TEAMING_POLICIES } from './teaming.ts';

type SwitchRecord = EntityRecord<'VmwareDistributedVirtualSwitch'>;

export function switchFace(center: Center): EntityFace<'VmwareDistributedVirtualSwitch'> {
  return {
    handlers: (ref) => switchMethods(center, ref),
    properties: (_ref, record) => ({
      ...switchProperties(center, record),
      uuid: record.uuid,
      networkResourcePool: [],
      portgroup: [],
    }),
    listings: ({ parent }) => [{ owner: parent, property: 'childEntity' }],
  };
}

/** What follows from the record, its port groups and the connections of its hosts. */
export function switchProperties(center: Center, record: SwitchRecord): Properties<'VmwareDistributedVirtualSwitch'> {
  const { inventory, switches } = center;
  const { config, members, name, uuid, portgroups } = record;
  const hosts = members.map(({ host }) => host);
  const known = portgroups.flatMap((ref) => inventory.find(ref) ?? []);
  const numPorts = known.reduce((sum, { portKeys }) => sum + portKeys.length, 0);
  const { productInfo } = config;
  const [uplink] = config.uplinkPortgroup ?? [];
  const keys = (uplink && inventory.find(uplink)?.portKeys) ?? [];
  const each = uplinksOf(record).length;
  const host = members.map((member, index) => {
    const uplinkPortKey = uplinkPortKeys(keys, index, each);
    const { maxProxySwitchPorts } = member;
    return make('DistributedVirtualSwitchHostMember', {
      config: make('DistributedVirtualSwitchHostMemberConfigInfo', {
        host: member.host,
        maxProxySwitchPorts,
        backing: memberBacking(member, uplinkPortKey, uplink),
      }),
      productInfo,
      status: switches.statusOf(member.host),
      uplinkPortKey,
      runtimeState: make('DistributedVirtualSwitchHostMemberRuntimeState', {
        currentMaxProxySwitchPorts: maxProxySwitchPorts,
      }),
    });
  });
  return {
    capability: capability(),
    config: { ...config, name, numPorts, host },
    summary: make('DVSSummary', {
      name,
      uuid,
      numPorts,
      productInfo,
      hostMember: hosts,
      host: hosts,
      vm: vmsOn(center, portgroups),
      portgroupName: known.map((one) => one.name),
      description: config.description,
      contact: config.contact,
      numHosts: hosts.length,
    }),
    runtime: make('DVSRuntimeInfo', {
      hostMemberRuntime: hosts.map((one) =>
        make('HostMemberRuntimeInfo', { host: one, status: switches.statusOf(one) }),
      ),
    }),
  } as Properties<'VmwareDistributedVirtualSwitch'>;
}

function switchMethods(
  center: Center,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
): Handlers<'VmwareDistributedVirtualSwitch', Call> {
  const { service, inventory } = center;
  const task = (method: string, call: Call, work: () => Promise<unknown>) =>
    service.tasks.start({ entity: dvs, descriptionId: `DistributedVirtualSwitch.${method}`, call }, work);
  return {
    ReconfigureDvs_Task: ({ spec }, call) =>
      task('reconfigure', call, () => reconfigureSwitch(center, dvs, spec as VMwareDVSConfigSpec, call)),
    Rename_Task: ({ newName }, call) =>
      task('rename', call, () => reconfigureSwitch(center, dvs, { name: newName }, call)),
    Destroy_Task: (_args, call) => task('destroy', call, () => destroySwitch(center, dvs, call)),
    AddDVPortgroup_Task: ({ spec }, call) =>
      task('addPortgroups', call, async () => {
        await addPortgroups(center, dvs, spec, call);
      }),
    CreateDVPortgroup_Task: ({ spec }, call) =>
      task('addPortgroup', call, async () => {
        const [made] = await addPortgroups(center, dvs, [spec], call);
        return made && asReference(made);
      }),
    LookupDvPortGroup: ({ portgroupKey }) => {
      const found = inventory.get(dvs).portgroups.find(({ value }) => value === portgroupKey);
      if (!found) throw new MethodFault('NotFound');
      return found;
    },
    FetchDVPorts: ({ criteria }) => fetchPorts(center, dvs, criteria),
    FetchDVPortKeys: ({ criteria }) => fetchPortKeys(center, dvs, criteria),
    RefreshDVPortState: () => undefined,
    QueryUsedVlanIdInDvs: () => {
      const record = inventory.get(dvs);
      const used = record.portgroups.flatMap((ref) => {
        const { vlan } = portgroupSettings(inventory.get(ref), record);
        return isA('VmwareDistributedVirtualSwitchVlanIdSpec', vlan) && vlan.vlanId > 0 ? [vlan.vlanId] : [];
      });
      return [...new Set(used)].sort((one, other) => one - other);
    },
    EnableNetworkResourceManagement: ({ enable }) => {
      if (enable) throw new MethodFault('NotSupported', {}, 'Network I/O Control is not built yet');
    },
  };
}

export function capability() {
  return make('DVSCapability', {
    dvsOperationSupported: true,
    dvPortGroupOperationSupported: true,
    dvPortOperationSupported: false,
    compatibleHostComponentProductInfo: [],
    featuresSupported: featureCapability(),
  });
}

/** What of a distributed switch is built. */
export function featureCapability() {
  return make('VMwareDVSFeatureCapability', {
    networkResourceManagementSupported: false,
    vmDirectPathGen2Supported: false,
    nicTeamingPolicy: [...TEAMING_POLICIES],
    networkFilterSupported: false,
    macLearningSupported: false,
    vspanSupported: false,
    lldpSupported: false,
    ipfixSupported: false,
    multicastSnoopingSupported: false,
  });
}
