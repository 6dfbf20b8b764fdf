// The hosts of a distributed switch: what a specification of members makes of them. Pure but for the inventory that it reads.
import {
  type DistributedVirtualSwitchHostMemberBacking,
  type DistributedVirtualSwitchHostMemberConfigSpec,
  MethodFault,
  type MoRef,
} from '@vivarium/vim';
import type { EntityRecord, SwitchMember } from '../inventory/entity-records.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { placePnics, uplinkPortKeys } from './member-uplinks.ts';
import { uplinksOf } from './new-switch.ts';

const DEFAULT_PORTS = 512;

export interface MemberChange {
  readonly members: readonly SwitchMember[];
  readonly joined: readonly MoRef<'HostSystem'>[];
  readonly left: readonly MoRef<'HostSystem'>[];
  /** Members whose hosts have to do something. */
  readonly touched: readonly MoRef<'HostSystem'>[];
}

export interface MemberOptions {
  readonly inventory: Inventory;
  readonly record: EntityRecord<'VmwareDistributedVirtualSwitch'>;
  /** Whether VMs of the host are on the switch. */
  readonly isUsedOn: (host: MoRef<'HostSystem'>) => boolean;
}

/** Faults: AlreadyExists, NotFound, InvalidArgument, ResourceInUse. */
export function changeMembers(
  specs: readonly DistributedVirtualSwitchHostMemberConfigSpec[],
  { inventory, record, isUsedOn }: MemberOptions,
): MemberChange {
  const [uplink] = record.config.uplinkPortgroup ?? [];
  const portKeys = (uplink && inventory.find(uplink)?.portKeys) ?? [];
  const keysOf = ({ value }: MoRef<'HostSystem'>) => {
    const index = record.members.findIndex((member) => member.host.value === value);
    return uplinkPortKeys(portKeys, index, uplinksOf(record).length);
  };
  const members = new Map(record.members.map((member) => [member.host.value, member]));
  const joined: MoRef<'HostSystem'>[] = [];
  const left: MoRef<'HostSystem'>[] = [];
  const touched: MoRef<'HostSystem'>[] = [];
  for (const [index, { operation, host, backing, maxProxySwitchPorts }] of specs.entries()) {
    const { name } = inventory.get(host);
    if (inventory.above(host, 'Datacenter')?.value !== record.datacenter.value) {
      throw new MethodFault('InvalidArgument', { invalidProperty: `spec.host[${index}].host` });
    }
    const former = members.get(host.value);
    touched.push(host);
    if (operation === 'add') {
      if (former) throw new MethodFault('AlreadyExists', { name });
      joined.push(host);
      members.set(host.value, newMember(host, backing, maxProxySwitchPorts));
    } else if (!former) throw new MethodFault('NotFound', {}, `${name} is not on this switch`);
    else if (operation === 'edit') {
      members.set(host.value, {
        ...former,
        ...(backing ? { pnics: placePnics(backing, former.pnics, keysOf(host)) } : {}),
        ...(maxProxySwitchPorts === undefined ? {} : { maxProxySwitchPorts }),
      });
    } else if (operation === 'remove') {
      if (isUsedOn(host)) throw new MethodFault('ResourceInUse', { type: 'HostSystem', name });
      left.push(host);
      members.delete(host.value);
    } else throw new MethodFault('InvalidArgument', { invalidProperty: `spec.host[${index}].operation` });
  }
  return { members: [...members.values()], joined, left, touched };
}

export function newMember(
  host: MoRef<'HostSystem'>,
  backing?: DistributedVirtualSwitchHostMemberBacking,
  maxProxySwitchPorts = DEFAULT_PORTS,
): SwitchMember {
  return { host, maxProxySwitchPorts, pnics: backing ? placePnics(backing) : [] };
}
