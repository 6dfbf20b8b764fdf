// The DistributedVirtualPortgroup object. Source: vSphere Web Services API, DistributedVirtualPortgroup.
import { type Handlers, type MoRef, make, type Properties } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { EntityFace } from '../publish/publisher.ts';
import { destroyPortgroup, reconfigurePortgroup } from './change-portgroup.ts';
import { portgroupSettings } from './new-switch.ts';

type PortgroupRecord = EntityRecord<'DistributedVirtualPortgroup'>;

export function portgroupFace(center: Center): EntityFace<'DistributedVirtualPortgroup'> {
  return {
    handlers: (ref) => portgroupMethods(center, ref),
    properties: (ref, record) => ({
      ...portgroupProperties(center, ref, record),
      key: ref.value,
      host: [],
      vm: [],
    }),
    listings: ({ parent, datacenter, dvs }) => [
      { owner: parent, property: 'childEntity' },
      { owner: datacenter, property: 'network' },
      { owner: dvs, property: 'portgroup' },
    ],
  };
}

export function portgroupProperties(
  { inventory }: Pick<Center, 'inventory'>,
  ref: MoRef<'DistributedVirtualPortgroup'>,
  record: PortgroupRecord,
): Properties<'DistributedVirtualPortgroup'> {
  const { name, portKeys, dvs, config } = record;
  const owner = inventory.find(dvs);
  return {
    portKeys: portKeys.map(String),
    summary: make('NetworkSummary', {
      network: ref as MoRef as MoRef<'Network'>,
      name,
      accessible: true,
      ipPoolName: '',
    }),
    config: {
      ...config,
      name,
      numPorts: portKeys.length,
      distributedVirtualSwitch: dvs,
      ...(owner ? { defaultPortConfig: portgroupSettings(record, owner) } : {}),
    },
  } as Properties<'DistributedVirtualPortgroup'>;
}

function portgroupMethods(
  center: Center,
  ref: MoRef<'DistributedVirtualPortgroup'>,
): Handlers<'DistributedVirtualPortgroup', Call> {
  const task = (method: string, call: Call, work: () => Promise<void>) =>
    center.service.tasks.start({ entity: ref, descriptionId: `dvs.DistributedVirtualPortgroup.${method}`, call }, work);
  const destroy = (call: Call) => task('destroy', call, () => destroyPortgroup(center, ref, call));
  return {
    ReconfigureDVPortgroup_Task: ({ spec }, call) =>
      task('reconfigure', call, () => reconfigurePortgroup(center, ref, spec, call)),
    Rename_Task: ({ newName }, call) =>
      task('rename', call, () => reconfigurePortgroup(center, ref, { name: newName }, call)),
    Destroy_Task: (_args, call) => destroy(call),
    DestroyNetwork: (_args, call) => destroyPortgroup(center, ref, call),
  };
}
