// Makes, changes and removes distributed switches: first in the inventory, then on the hosts; when a host refuses, the inventory
// and the other hosts go back. Source: vSphere Web Services API, Folder.CreateDVS_Task, DistributedVirtualSwitch.
import {
  type DVSCreateSpec,
  MethodFault,
  type MoRef,
  make,
  type VMwareDVSConfigSpec,
  type VMwareDVSPortSetting,
} from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { checkName } from '../inventory/entity-name.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { Inventory, InventoryOp } from '../inventory/inventory.ts';
import { asReference } from '../routing/as-reference.ts';
import { changeMembers, newMember } from './change-members.ts';
import { switchUuid } from './hidden-network.ts';
import { requirePlaces } from './member-uplinks.ts';
import { MOST_PORTS, MTU, newSwitch, uplinkNames, uplinksOf, withPorts } from './new-switch.ts';
import { changeSettings } from './port-settings.ts';
import { portgroupEvent, switchEvent } from './switch-events.ts';
import { requireUnused, vmsOn } from './switch-users.ts';
import { renameUplinks } from './teaming.ts';

type SwitchRecord = EntityRecord<'VmwareDistributedVirtualSwitch'>;

/** Faults: DuplicateName, InvalidName, NotSupported, InvalidArgument, and those of the hosts that join. */
export async function createSwitch(
  center: Center,
  folder: MoRef<'Folder'>,
  spec: DVSCreateSpec,
  call: Call,
): Promise<object> {
  const { inventory, switches } = center;
  return switches.exclusively(async () => {
    const made = await inventory.exclusively(async () => {
      const datacenter = inventory.above(folder, 'Datacenter') as MoRef<'Datacenter'> | undefined;
      if (!datacenter || !inventory.get(folder).childType.includes('DistributedVirtualSwitch')) {
        throw new MethodFault('NotSupported', {}, 'this folder does not hold distributed switches');
      }
      const name = checkName(spec.configSpec.name ?? '');
      inventory.requireFreeName(folder, name);
      const uuid = switchUuid(center.newUuid());
      const createTime = new Date(center.clock.now()).toISOString();
      const { ref, uplink, ops } = newSwitch(spec, { inventory, folder, datacenter, name, uuid, createTime });
      await inventory.apply(ops);
      return { ref, uplink };
    });
    const { name: _name, configVersion: _version, defaultPortConfig: _settings, ...rest } = spec.configSpec;
    try {
      await reconfigure(center, made.ref, rest, undefined);
    } catch (error) {
      await inventory.exclusively(() => inventory.apply([{ remove: made.uplink }, { remove: made.ref }]));
      throw error;
    }
    switchEvent(center, made.ref, { kind: 'DvsCreatedEvent', folder }, call);
    portgroupEvent(center, made.uplink, { kind: 'DVPortgroupCreatedEvent' }, call);
    return asReference(made.ref);
  });
}

/** Faults: ConcurrentAccess, DuplicateName, InvalidName, NotFound, AlreadyExists, ResourceInUse, those of the hosts. */
export function reconfigureSwitch(
  center: Center,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  spec: VMwareDVSConfigSpec,
  call: Call,
): Promise<void> {
  return center.switches.exclusively(() => reconfigure(center, dvs, spec, call));
}

async function reconfigure(
  center: Center,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  spec: VMwareDVSConfigSpec,
  call: Call | undefined,
): Promise<void> {
  const { inventory, switches } = center;
  const former = inventory.get(dvs);
  if (spec.configVersion && spec.configVersion !== former.config.configVersion)
    throw new MethodFault('ConcurrentAccess');
  const name = spec.name === undefined ? former.name : checkName(spec.name);
  const change = changeMembers(spec.host ?? [], {
    inventory,
    record: former,
    isUsedOn: (host) => isUsedOn(center, former, host),
  });
  const changed: SwitchRecord = {
    ...former,
    name,
    config: changeConfig(former.config, spec),
    members: change.members,
  };
  const ops = withUplinks(inventory, dvs, changed);
  const undo = ops.map((op): InventoryOp => {
    if (!('put' in op)) return op;
    return { put: op.put, record: inventory.get(op.put as MoRef<'VmwareDistributedVirtualSwitch'>) } as InventoryOp;
  });
  const members = changed.members.map(({ host }) => host);
  // Only what hosts carry out concerns them all; a new description does not.
  const concerned = [...change.left, ...(isForHosts(spec) ? members : change.touched)];
  await inventory.exclusively(async () => {
    inventory.requireFreeName(former.parent, name, dvs);
    await inventory.apply(ops);
  });
  try {
    await switches.apply(concerned);
  } catch (error) {
    await inventory.exclusively(() => inventory.apply(undo));
    await switches.apply(concerned).catch((failed: unknown) => {
      center.log.warn({ dvs: dvs.value, err: failed }, 'a host keeps what a distributed switch has taken back');
    });
    throw error;
  }
  if (!call) return;
  switchEvent(center, dvs, { kind: 'DvsReconfiguredEvent', configSpec: spec }, call);
  if (name !== former.name) {
    switchEvent(center, dvs, { kind: 'DvsRenamedEvent', oldName: former.name, newName: name }, call);
  }
  for (const host of change.joined) switchEvent(center, dvs, { kind: 'DvsHostJoinedEvent', host }, call);
  for (const host of change.left) switchEvent(center, dvs, { kind: 'DvsHostLeftEvent', host }, call);
}

/** Fault: ResourceInUse while VMs are on it. Its hosts give it up; those that are not connected when they come. */
export function destroySwitch(center: Center, dvs: MoRef<'VmwareDistributedVirtualSwitch'>, call: Call): Promise<void> {
  const { inventory, switches, shared } = center;
  return switches.exclusively(async () => {
    const record = inventory.get(dvs);
    requireUnused(center, record.portgroups, 'VmwareDistributedVirtualSwitch', record.name);
    const hosts = record.members.map(({ host }) => host);
    try {
      await switches.apply(hosts, dvs);
    } catch (error) {
      await switches.apply(hosts).catch(() => undefined);
      throw error;
    }
    for (const portgroup of record.portgroups)
      portgroupEvent(center, portgroup, { kind: 'DVPortgroupDestroyedEvent' }, call);
    switchEvent(center, dvs, { kind: 'DvsDestroyedEvent' }, call);
    for (const portgroup of record.portgroups) shared.forget(portgroup);
    await inventory.exclusively(() =>
      inventory.apply([...record.portgroups.map((remove): InventoryOp => ({ remove })), { remove: dvs }]),
    );
  });
}

function isUsedOn(center: Center, { portgroups }: SwitchRecord, host: MoRef<'HostSystem'>): boolean {
  return vmsOn(center, portgroups).some((vm) => center.inventory.find(vm)?.host.value === host.value);
}

function isForHosts({ defaultPortConfig, maxMtu, uplinkPortPolicy }: VMwareDVSConfigSpec): boolean {
  return defaultPortConfig !== undefined || maxMtu !== undefined || uplinkPortPolicy !== undefined;
}

/** What hosts cannot do is refused; see port-settings.ts for the ports. */
function changeConfig(former: SwitchRecord['config'], spec: VMwareDVSConfigSpec): SwitchRecord['config'] {
  const unbuilt = [
    [spec.pvlanConfigSpec?.length, 'private VLANs'],
    [spec.vspanConfigSpec?.length, 'port mirroring'],
    [spec.ipfixConfig?.collectorIpAddress, 'NetFlow'],
    [spec.numStandalonePorts, 'standalone ports'],
    [
      spec.uplinkPortgroup && spec.uplinkPortgroup[0]?.value !== former.uplinkPortgroup?.[0]?.value,
      'other uplink port groups',
    ],
    [spec.multicastFilteringMode === 'snooping', 'multicast snooping'],
  ] as const;
  const asked = unbuilt.find(([is]) => is);
  if (asked) throw new MethodFault('NotSupported', {}, `${asked[1]} are not built yet in distributed switches`);
  const { description, contact, switchIpAddress, maxPorts, maxMtu, policy } = spec;
  // Kept, as clients read it back: nothing is sent to a collector, and no protocol is spoken without uplinks.
  const { linkDiscoveryProtocolConfig, ipfixConfig } = spec;
  if (maxMtu && (maxMtu < MTU.least || maxMtu > MTU.most)) throw invalid('spec.maxMtu');
  if (maxPorts !== undefined && (maxPorts < 0 || maxPorts > MOST_PORTS)) throw invalid('spec.maxPorts');
  const names = uplinkNames(spec.uplinkPortPolicy);
  const set = Object.fromEntries(
    Object.entries({ description, contact, switchIpAddress, policy, linkDiscoveryProtocolConfig, ipfixConfig }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  return {
    ...former,
    ...set,
    ...(maxMtu ? { maxMtu } : {}),
    ...(maxPorts ? { maxPorts } : {}),
    ...(names ? { uplinkPortPolicy: make('DVSNameArrayUplinkPortPolicy', { uplinkPortName: [...names] }) } : {}),
    defaultPortConfig: changeSettings(withUplinkNames(former, names), spec.defaultPortConfig),
    configVersion: nextVersion(former.configVersion),
  };
}

function withUplinkNames(
  { defaultPortConfig, uplinkPortPolicy }: SwitchRecord['config'],
  names: readonly string[] | undefined,
): VMwareDVSPortSetting {
  const settings: VMwareDVSPortSetting = defaultPortConfig;
  if (!names || !settings.uplinkTeamingPolicy) return settings;
  const formerNames = uplinkNames(uplinkPortPolicy) ?? [];
  return { ...settings, uplinkTeamingPolicy: renameUplinks(settings.uplinkTeamingPolicy, formerNames, names) };
}

/** The switch with more members. */
export function withMembers(
  inventory: Inventory,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  hosts: readonly MoRef<'HostSystem'>[],
): InventoryOp[] {
  const record = inventory.get(dvs);
  const members = [...record.members, ...hosts.map((host) => newMember(host))];
  return withUplinks(inventory, dvs, { ...record, members });
}

/** The switch without a member; nothing where it is none. */
export function withoutMember(
  inventory: Inventory,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  host: MoRef<'HostSystem'>,
): InventoryOp[] {
  const record = inventory.get(dvs);
  const members = record.members.filter((member) => member.host.value !== host.value);
  return members.length === record.members.length ? [] : withUplinks(inventory, dvs, { ...record, members });
}

/** The switch, and its uplink port group with a port for each uplink of each member. Fault: ResourceNotAvailable. */
function withUplinks(
  inventory: Inventory,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  changed: SwitchRecord,
): InventoryOp[] {
  const [uplink] = changed.config.uplinkPortgroup ?? [];
  if (!uplink) return [{ put: dvs, record: changed }];
  const record = inventory.get(uplink);
  const uplinks = uplinksOf(changed);
  for (const member of changed.members) requirePlaces(member, uplinks, record.name);
  const count = changed.members.length * uplinks.length;
  if (count === record.portKeys.length) return [{ put: dvs, record: changed }];
  const { portgroup, owner } = withPorts(record, changed, count);
  return [
    { put: dvs, record: owner },
    { put: uplink, record: portgroup },
  ];
}

export function nextVersion(version: string | undefined): string {
  return String(Number(version ?? 0) + 1);
}

function invalid(invalidProperty: string): MethodFault<'InvalidArgument'> {
  return new MethodFault('InvalidArgument', { invalidProperty });
}
