// Keeps the objects of distributed switches and their port groups true: after changes of their records, of the VMs on them and of
// their hosts' connections, once a turn. A switch of thousands of hosts and VMs is a picture of them all: what they change is
// then shown a little later, so that a thousand hosts that connect do not make it a thousand times.
import type { Timer } from '@vivarium/base';
import type { MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import { portgroupProperties } from './portgroup-face.ts';
import { switchProperties } from './switch-face.ts';

/** Shorter than that: at once. */
const QUICK_MS = 5;
/** Of the time, refreshing takes at most one part in so many. */
const SHARE = 10;

export interface SwitchKeeper {
  /** The connection of a host has changed, or what its switches are in there. */
  hostChanged(host: MoRef<'HostSystem'>): void;
  stop(): void;
}

export function keepSwitches(center: Center): SwitchKeeper {
  const { inventory, lists, clock } = center;
  const due = new Map<string, MoRef<'VmwareDistributedVirtualSwitch'>>();
  let notBefore = 0;
  let later: Timer | undefined;
  const flush = () => {
    later?.cancel();
    later = undefined;
    const all = [...due.values()];
    if (all.length === 0) return; // shown already, in the same turn
    due.clear();
    const began = clock.monotonic();
    for (const dvs of all) refresh(center, dvs);
    const ended = clock.monotonic();
    notBefore = ended - began < QUICK_MS ? 0 : ended + (ended - began) * (SHARE - 1);
  };
  const touch = (dvs: MoRef<'VmwareDistributedVirtualSwitch'>) => {
    const waitMs = notBefore - clock.monotonic();
    if (due.size === 0 && waitMs <= 0) queueMicrotask(flush);
    else if (due.size === 0) later = clock.setTimer(waitMs, flush);
    due.set(dvs.value, dvs);
  };
  /** Whoever changes a switch sees the change. */
  const touchNow = (dvs: MoRef<'VmwareDistributedVirtualSwitch'>) => {
    if (due.size === 0 || later) queueMicrotask(flush);
    due.set(dvs.value, dvs);
  };
  for (const [dvs] of inventory.ofType('VmwareDistributedVirtualSwitch')) touch(dvs);
  const stopRecords = inventory.onChange(({ ref, before, after }) => {
    const { type } = ref as { readonly type: string };
    if (type === 'VmwareDistributedVirtualSwitch') touchNow(ref as unknown as MoRef<'VmwareDistributedVirtualSwitch'>);
    if (type !== 'DistributedVirtualPortgroup') return;
    const record = (after ?? before) as EntityRecord<'DistributedVirtualPortgroup'> | undefined;
    if (record) touchNow(record.dvs);
  });
  const stopLists = lists.onChange('vm', (owner) => {
    if (owner.type !== 'DistributedVirtualPortgroup') return;
    const dvs = inventory.find(owner as MoRef<'DistributedVirtualPortgroup'>)?.dvs;
    if (dvs) touch(dvs);
  });
  return {
    hostChanged(host) {
      for (const [dvs, { members }] of inventory.ofType('VmwareDistributedVirtualSwitch')) {
        if (members.some((member) => member.host.value === host.value)) touch(dvs);
      }
    },
    stop() {
      later?.cancel();
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
