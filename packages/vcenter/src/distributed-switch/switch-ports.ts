// The ports of a distributed switch: those that a port group has, and who is on them. Which card is on which of a port group's
// ports is dealt out in the order of the VMs: hosts know port groups, not ports. Reads, changes nothing.
import {
  type DistributedVirtualPort,
  type DistributedVirtualSwitchPortConnectee,
  type DistributedVirtualSwitchPortCriteria,
  isA,
  MethodFault,
  type MoRef,
  make,
  type VirtualMachineConfigInfo,
} from '@vivarium/vim';
import type { Center } from '../center.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import { portgroupSettings, uplinksOf } from './new-switch.ts';

interface Connection {
  readonly connectee: DistributedVirtualSwitchPortConnectee;
  readonly host: MoRef<'HostSystem'>;
  readonly isActive: boolean;
}

interface Port {
  readonly key: number;
  readonly portgroup: MoRef<'DistributedVirtualPortgroup'>;
  readonly isUplink: boolean;
  readonly name?: string | undefined;
  /** That it is on, also when nothing is plugged in: an uplink port's. */
  readonly host?: MoRef<'HostSystem'> | undefined;
  readonly connection?: Connection | undefined;
}

/** Fault: NotSupported, for criteria that need what is not known. */
export function fetchPorts(
  center: Center,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  criteria: DistributedVirtualSwitchPortCriteria | undefined,
): DistributedVirtualPort[] {
  const { inventory } = center;
  const record = inventory.get(dvs);
  const settings = new Map(
    record.portgroups.map((ref) => [ref.value, portgroupSettings(inventory.get(ref), record)] as const),
  );
  return matchingPorts(center, dvs, criteria).map(({ key, portgroup, name, host, connection }) =>
    make('DistributedVirtualPort', {
      key: String(key),
      dvsUuid: record.uuid,
      portgroupKey: portgroup.value,
      proxyHost: connection?.host ?? host,
      connectee: connection?.connectee,
      conflict: false,
      lastStatusChange: record.config.createTime,
      config: make('DVPortConfigInfo', { name, configVersion: '0', setting: settings.get(portgroup.value) }),
    }),
  );
}

export function fetchPortKeys(
  center: Center,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  criteria: DistributedVirtualSwitchPortCriteria | undefined,
): string[] {
  return matchingPorts(center, dvs, criteria).map(({ key }) => String(key));
}

function matchingPorts(
  center: Center,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  criteria: DistributedVirtualSwitchPortCriteria | undefined,
): Port[] {
  const record = center.inventory.get(dvs);
  const ports = record.portgroups.flatMap((ref) => portsOf(center, record, ref));
  if (!criteria) return ports;
  if (criteria.scope || criteria.nsxPort) {
    throw new MethodFault('NotSupported', {}, 'ports are not found by scope, and there are none of NSX');
  }
  const { connected, active, uplinkPort, inside = true } = criteria;
  // As many as a request holds, asked of tens of thousands of ports.
  const portgroups = new Set(criteria.portgroupKey);
  const keys = new Set(criteria.portKey);
  const hosts = new Set(criteria.host?.map(({ value }) => value));
  return ports.filter(
    ({ key, portgroup, isUplink, host: own, connection }) =>
      (connected === undefined || connected === (connection !== undefined)) &&
      (active === undefined || active === (connection?.isActive ?? false)) &&
      (uplinkPort === undefined || uplinkPort === isUplink) &&
      (portgroups.size === 0 || portgroups.has(portgroup.value) === inside) &&
      (keys.size === 0 || keys.has(String(key))) &&
      (hosts.size === 0 || hosts.has((connection?.host ?? own)?.value ?? '')),
  );
}

function portsOf(
  center: Center,
  owner: EntityRecord<'VmwareDistributedVirtualSwitch'>,
  ref: MoRef<'DistributedVirtualPortgroup'>,
): Port[] {
  const { portKeys, config } = center.inventory.get(ref);
  if (config.uplink) return uplinkPorts(owner, ref, portKeys);
  const connections = connectionsOf(center, ref);
  return portKeys.map((key, index) => ({ key, portgroup: ref, isUplink: false, connection: connections[index] }));
}

function uplinkPorts(
  owner: EntityRecord<'VmwareDistributedVirtualSwitch'>,
  portgroup: MoRef<'DistributedVirtualPortgroup'>,
  portKeys: readonly number[],
): Port[] {
  const names = uplinksOf(owner);
  return portKeys.map((key, index) => {
    const member = owner.members[Math.floor(index / Math.max(names.length, 1))];
    const at = index % Math.max(names.length, 1);
    const pnic = member?.pnics[at];
    const connection =
      member && pnic
        ? {
            host: member.host,
            isActive: true,
            connectee: make('DistributedVirtualSwitchPortConnectee', {
              connectedEntity: member.host,
              nicKey: pnic,
              type: 'pnic',
            }),
          }
        : undefined;
    return { key, portgroup, isUplink: true, name: names[at], host: member?.host, connection };
  });
}

function connectionsOf(
  { lists, service, inventory }: Center,
  portgroup: MoRef<'DistributedVirtualPortgroup'>,
): Connection[] {
  const vms = (lists.members(portgroup, 'vm') as MoRef[] as MoRef<'VirtualMachine'>[]).sort(
    (one, other) => numberOf(one.value) - numberOf(other.value),
  );
  return vms.flatMap((vm) => {
    const object = service.graph.find(vm);
    const record = inventory.find(vm);
    const config = object?.getPath('config') as VirtualMachineConfigInfo | undefined;
    if (!record || !config) return [];
    const isOn = object?.getPath('runtime.powerState') === 'poweredOn';
    return (config.hardware?.device ?? []).flatMap((device): Connection[] => {
      const { backing, key, connectable } = device;
      if (!isA('VirtualEthernetCardDistributedVirtualPortBackingInfo', backing)) return [];
      if (backing.port.portgroupKey !== portgroup.value) return [];
      return [
        {
          host: record.host,
          isActive: isOn && (connectable?.connected ?? true),
          connectee: make('DistributedVirtualSwitchPortConnectee', {
            connectedEntity: vm,
            nicKey: String(key),
            type: 'vmVnic',
          }),
        },
      ];
    });
  });
}

function numberOf(id: string): number {
  return Number(id.replace(/\D/g, ''));
}
