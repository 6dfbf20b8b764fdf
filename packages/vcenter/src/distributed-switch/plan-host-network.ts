// Which switches and port groups a host has to have for its distributed switches, and the steps from what it has. Pure.
import { type HostNetworkInfo, type HostNicTeamingPolicy, type MoRef, make, moRef } from '@vivarium/vim';
import type { SwitchMember } from '../inventory/entity-records.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { newMember } from './change-members.ts';
import { hiddenPortGroupName, hiddenSwitchName, isHiddenSwitch, parseHiddenPortGroup } from './hidden-network.ts';
import { pnicByUplink } from './member-uplinks.ts';
import { uplinksOf } from './new-switch.ts';
import { type HostSettings, hostSettings, inheritSettings } from './port-settings.ts';
import type { Team } from './teaming.ts';

interface HostSwitch {
  readonly mtu: number;
  readonly numPorts: number;
  readonly pnics: readonly string[];
}

/** A host may have a policy that no switch of ours asks for, or none. */
type ReportedTeam = Omit<Team, 'policy'> & { readonly policy: string | undefined };

interface HostPortGroup extends Omit<HostSettings, 'teaming'> {
  readonly vswitchName: string;
  readonly teaming: ReportedTeam;
}

export interface HostNetwork {
  readonly switches: ReadonlyMap<string, HostSwitch>;
  readonly portGroups: ReadonlyMap<string, HostPortGroup>;
}

/** One call of HostNetworkSystem. */
export interface NetworkStep {
  readonly method:
    | 'AddVirtualSwitch'
    | 'UpdateVirtualSwitch'
    | 'RemoveVirtualSwitch'
    | 'AddPortGroup'
    | 'UpdatePortGroup'
    | 'RemovePortGroup';
  readonly args: object;
}

/** A standard switch's limit on a host. */
const MOST_PORTS = 4096;

/** By the inventory, but for `without`: what is about to go. */
export function neededNetwork(
  inventory: Inventory,
  host: MoRef<'HostSystem'>,
  without?: { readonly value: string },
): HostNetwork {
  const switches = new Map<string, HostSwitch>();
  const portGroups = new Map<string, HostPortGroup>();
  for (const [dvs, record] of inventory.ofType('VmwareDistributedVirtualSwitch')) {
    const member = record.members.find((one) => one.host.value === host.value);
    if (!member || dvs.value === without?.value) continue;
    const { switches: ownSwitches, portGroups: own } = networkOf(inventory, dvs, member, without);
    for (const [name, needed] of ownSwitches) switches.set(name, needed);
    for (const [name, needed] of own) portGroups.set(name, needed);
  }
  return { switches, portGroups };
}

/** One switch, as one member has it. */
function networkOf(
  inventory: Inventory,
  dvs: MoRef<'VmwareDistributedVirtualSwitch'>,
  member: SwitchMember,
  without?: { readonly value: string },
): HostNetwork {
  const record = inventory.get(dvs);
  const { uuid, config, portgroups } = record;
  const vswitchName = hiddenSwitchName(dvs, uuid);
  const pnics = pnicByUplink(member, uplinksOf(record));
  const vswitch = {
    mtu: config.maxMtu,
    numPorts: Math.min(Math.max(member.maxProxySwitchPorts, 1), MOST_PORTS),
    pnics: [...pnics.values()],
  };
  const named = (uplinks: readonly string[]) => uplinks.flatMap((uplink) => pnics.get(uplink) ?? []);
  const portGroups = new Map<string, HostPortGroup>();
  for (const portgroup of portgroups) {
    const own = inventory.find(portgroup)?.config;
    if (!own || own.uplink || portgroup.value === without?.value) continue;
    const settings = inheritSettings(own.defaultPortConfig ?? {}, config.defaultPortConfig);
    const name = hiddenPortGroupName({ portgroupKey: portgroup.value, switchUuid: uuid });
    const { teaming, ...others } = hostSettings(settings);
    const team = { ...teaming, active: named(teaming.active), standby: named(teaming.standby) };
    portGroups.set(name, { vswitchName, ...others, teaming: team });
  }
  return { switches: new Map([[vswitchName, vswitch]]), portGroups };
}

/** What a host has to do to carry this switch: for who brings a host that does already. */
export function stepsOfMember(inventory: Inventory, dvs: MoRef<'VmwareDistributedVirtualSwitch'>): NetworkStep[] {
  const member = newMember(moRef('HostSystem', ''));
  return planNetwork({ switches: new Map(), portGroups: new Map() }, networkOf(inventory, dvs, member));
}

/** Of what a host tells of its network, what carries distributed switches. */
export function reportedNetwork(network: HostNetworkInfo | undefined): HostNetwork {
  const switches = (network?.vswitch ?? []).filter(({ name }) => isHiddenSwitch(name));
  const portGroups = (network?.portgroup ?? []).filter(({ spec }) => parseHiddenPortGroup(spec.name));
  return {
    switches: new Map(
      switches.map(({ name, mtu = 0, spec, pnic }) => [
        name,
        { mtu, numPorts: spec.numPorts, pnics: (pnic ?? []).map((key) => key.slice(key.lastIndexOf('-') + 1)) },
      ]),
    ),
    portGroups: new Map(
      portGroups.map(({ spec: { name, vlanId, vswitchName, policy } }) => {
        const { allowPromiscuous = false, macChanges = false, forgedTransmits = false } = policy.security ?? {};
        const security = { allowPromiscuous, macChanges, forgedTransmits };
        return [name, { vlanId, vswitchName, security, teaming: reportedTeam(policy.nicTeaming) }];
      }),
    ),
  };
}

function reportedTeam({ policy, nicOrder }: HostNicTeamingPolicy = make('HostNicTeamingPolicy', {})): ReportedTeam {
  return { policy, active: nicOrder?.activeNic ?? [], standby: nicOrder?.standbyNic ?? [] };
}

/** Port groups go before their switches, and come after them; a switch gives physical NICs away before another one gets them. */
export function planNetwork(has: HostNetwork, needs: HostNetwork): NetworkStep[] {
  const steps: NetworkStep[] = [];
  for (const pgName of has.portGroups.keys()) {
    if (!needs.portGroups.has(pgName)) steps.push({ method: 'RemovePortGroup', args: { pgName } });
  }
  for (const vswitchName of has.switches.keys()) {
    if (!needs.switches.has(vswitchName)) steps.push({ method: 'RemoveVirtualSwitch', args: { vswitchName } });
  }
  const gains = ([name, { pnics }]: readonly [string, HostSwitch]) =>
    pnics.some((pnic) => !has.switches.get(name)?.pnics.includes(pnic));
  const inOrder = [...needs.switches].sort((one, other) => Number(gains(one)) - Number(gains(other)));
  for (const [vswitchName, needed] of inOrder) {
    const former = has.switches.get(vswitchName);
    const args = { vswitchName, spec: switchSpec(needed) };
    if (!former) steps.push({ method: 'AddVirtualSwitch', args });
    else if (!isSame(former, needed)) steps.push({ method: 'UpdateVirtualSwitch', args });
  }
  for (const [name, needed] of needs.portGroups) {
    const former = has.portGroups.get(name);
    const portgrp = portGroupSpec(name, needed);
    if (!former) steps.push({ method: 'AddPortGroup', args: { portgrp } });
    else if (!isSame(former, needed)) steps.push({ method: 'UpdatePortGroup', args: { pgName: name, portgrp } });
  }
  return steps;
}

function switchSpec({ mtu, numPorts, pnics }: HostSwitch) {
  const bridge = make('HostVirtualSwitchBondBridge', { nicDevice: [...pnics] });
  return make('HostVirtualSwitchSpec', { numPorts, mtu, ...(pnics.length > 0 ? { bridge } : {}) });
}

function portGroupSpec(name: string, { vlanId, vswitchName, security, teaming }: HostPortGroup) {
  const nicOrder = make('HostNicOrderPolicy', { activeNic: [...teaming.active], standbyNic: [...teaming.standby] });
  const policy = make('HostNetworkPolicy', {
    security: make('HostNetworkSecurityPolicy', { ...security }),
    nicTeaming: make('HostNicTeamingPolicy', { policy: teaming.policy, nicOrder }),
  });
  return make('HostPortGroupSpec', { name, vlanId, vswitchName, policy });
}

/** Both sides are built here, with their fields in the same order but for nesting. */
function isSame(one: HostSwitch | HostPortGroup, other: HostSwitch | HostPortGroup): boolean {
  const flat = (value: object): string =>
    JSON.stringify(
      Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)),
      (_key, part: unknown) => part,
    );
  return flat(one) === flat(other);
}
