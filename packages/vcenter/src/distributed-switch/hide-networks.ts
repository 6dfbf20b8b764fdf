// A host's network as vCenter shows it, in HostSystem.config.network and the HostNetworkSystem: what only carries distributed switches
// is shown as the proxy switches that a host of vSphere's has. Pure.
import {
  type HostNetworkConfig,
  type HostNetworkInfo,
  type HostProxySwitch,
  type HostVirtualSwitch,
  type MoRef,
  make,
  moRef,
} from '@vivarium/vim';
import type { EntityRecord, SwitchMember } from '../inventory/entity-records.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { isHiddenSwitch, parseHiddenPortGroup, switchOfHidden } from './hidden-network.ts';
import { memberBacking, uplinkPortKeys } from './member-uplinks.ts';
import { uplinksOf } from './new-switch.ts';

type Lookup = Pick<Inventory, 'find'>;

/** HostNetworkInfo: how it is. */
export function shownNetwork(network: HostNetworkInfo, host: MoRef<'HostSystem'>, inventory: Lookup): HostNetworkInfo {
  const proxySwitch = (network.vswitch ?? []).flatMap((vswitch) => {
    const found = findSwitch(vswitch.name, host, inventory);
    return found ? [asProxySwitch(vswitch, found)] : [];
  });
  return { ...withoutHidden(network), proxySwitch };
}

/** HostNetworkConfig: the same as a specification. */
export function shownConfig(
  network: HostNetworkConfig,
  host: MoRef<'HostSystem'>,
  inventory: Lookup,
): HostNetworkConfig {
  const proxySwitch = (network.vswitch ?? []).flatMap(({ name }) => {
    const found = findSwitch(name, host, inventory);
    if (!found) return [];
    const spec = make('HostProxySwitchSpec', { backing: found.backing });
    return [make('HostProxySwitchConfig', { uuid: found.record.uuid, spec })];
  });
  return { ...withoutHidden(network), proxySwitch };
}

function withoutHidden<T extends HostNetworkInfo | HostNetworkConfig>(network: T): T {
  const { vswitch, portgroup } = network;
  return {
    ...network,
    ...(vswitch ? { vswitch: vswitch.filter(({ name }) => !isHiddenSwitch(name)) } : {}),
    ...(portgroup ? { portgroup: portgroup.filter(({ spec }) => !parseHiddenPortGroup(spec?.name)) } : {}),
  } as T;
}

interface FoundSwitch {
  readonly id: string;
  readonly record: EntityRecord<'VmwareDistributedVirtualSwitch'>;
  readonly member: SwitchMember;
  readonly uplinkPortKey: readonly string[];
  readonly backing: ReturnType<typeof memberBacking>;
}

/** A switch that the host is a member of. */
function findSwitch(hiddenName: string, host: MoRef<'HostSystem'>, inventory: Lookup): FoundSwitch | undefined {
  const id = switchOfHidden(hiddenName);
  const record = id === undefined ? undefined : inventory.find(moRef('VmwareDistributedVirtualSwitch', id));
  const index = record?.members.findIndex((one) => one.host.value === host.value) ?? -1;
  const member = record?.members[index];
  if (id === undefined || !record || !member) return undefined;
  const [uplink] = record.config.uplinkPortgroup ?? [];
  const portKeys = (uplink && inventory.find(uplink)?.portKeys) ?? [];
  const uplinkPortKey = uplinkPortKeys(portKeys, index, uplinksOf(record).length);
  return { id, record, member, uplinkPortKey, backing: memberBacking(member, uplinkPortKey, uplink) };
}

function asProxySwitch(
  { numPorts, numPortsAvailable, mtu, pnic }: HostVirtualSwitch,
  { id, record, member, uplinkPortKey, backing }: FoundSwitch,
): HostProxySwitch {
  const names = uplinksOf(record);
  return make('HostProxySwitch', {
    dvsUuid: record.uuid,
    dvsName: record.name,
    key: `DvsPortset-${id.replace(/\D/g, '')}`,
    numPorts,
    configNumPorts: member.maxProxySwitchPorts,
    numPortsAvailable,
    uplinkPort: uplinkPortKey.map((key, index) => make('KeyValue', { key, value: names[index] ?? '' })),
    mtu,
    pnic,
    spec: make('HostProxySwitchSpec', { backing }),
    networkReservationSupported: false,
  });
}
