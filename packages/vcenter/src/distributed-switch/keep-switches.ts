// Keeps the objects of distributed switches and their port groups true: after changes of their records, of the VMs on them and of
// their hosts' connections, once a turn.
import type { MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import { portgroupProperties } from './portgroup-face.ts';
import { switchProperties } from './switch-face.ts';

export interface SwitchKeeper {
  /** The connection of a host has changed, or what its switches are in there. */
  hostChanged(host: MoRef<'HostSystem'>): void;
  stop(): void;
}

export function keepSwitches(center: Center): SwitchKeeper {
  const { inventory, lists } = center;
  const due = new Map<string, MoRef<'VmwareDistributedVirtualSwitch'>>();
  const flush = () => {
    const all = [...due.values()];
    due.clear();
    for (const dvs of all) refresh(center, dvs);
  };
  const touch = (dvs: MoRef<'VmwareDistributedVirtualSwitch'>) => {
    if (due.size === 0) queueMicrotask(flush);
    due.set(dvs.value, dvs);
  };
  for (const [dvs] of inventory.ofType('VmwareDistributedVirtualSwitch')) touch(dvs);
  const stopRecords = inventory.onChange(({ ref, before, after }) => {
    const { type } = ref as { readonly type: string };
    if (type === 'VmwareDistributedVirtualSwitch') touch(ref as unknown as MoRef<'VmwareDistributedVirtualSwitch'>);
    if (type !== 'DistributedVirtualPortgroup') return;
    const record = (after ?? before) as EntityRecord<'DistributedVirtualPortgroup'> | undefined;
    if (record) touch(record.dvs);
  });
  const stopLists = lists.onChange('vm', (owner) => {
    if (owner.type !== 'DistributedVirtualPortgroup') return;
    const dvs = inventory.find(owner as MoRef<'DistributedVirtualPortgroup'>)?.dvs;
    if (dvs) touch(dvs);
  });
  return {
    hostChanged(host) {
      for (const [dvs, { config }] of inventory.ofType('VmwareDistributedVirtualSwitch')) {
        if (config.host?.some((member) => member.config.host?.value === host.value)) touch(dvs);
      }
    },
    stop() {
      stopRecords();
      stopLists();
    },
  };
}

function refresh(center: Center, dvs: MoRef<'VmwareDistributedVirtualSwitch'>): void {
  const { inventory, service } = center;
  const record = inventory.find(dvs);
  if (!record) return;
  service.graph.find(dvs)?.update({ ...switchProperties(center, record) });
  for (const ref of record.portgroups) {
    const portgroup = inventory.find(ref);
    if (portgroup) service.graph.find(ref)?.update({ ...portgroupProperties(center, ref, portgroup) });
  }
}
