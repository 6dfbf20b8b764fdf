// What HostNetworkSystem's changes make of a network configuration, or the fault that refuses them. Pure.
import { type HostPortGroupSpec, type HostVirtualSwitchSpec, MethodFault } from '@vivarium/vim';
import {
  DEFAULT_SECURITY,
  type NetworkConfiguration,
  type PortGroup,
  TRUNK_VLAN,
  type VirtualSwitch,
} from '../network/configuration.ts';
import { readSecurity } from './policy.ts';
import { type Adapters, readTeaming, readUplinks, requireOrder, requireUplinks, withUplinks } from './uplinks.ts';

/** Names of port groups that something is plugged into now. */
export type InUse = ReadonlySet<string>;

const DEFAULT_PORTS = 128;
/** ESXi's limits. */
const LONGEST_SWITCH_NAME = 31;
const LONGEST_PORT_GROUP_NAME = 80;
const MOST_PORTS = 4096;
const MTU = { least: 1280, most: 9190 };

export function addVirtualSwitch(
  configuration: NetworkConfiguration,
  name: string,
  spec: HostVirtualSwitchSpec | undefined,
  adapters: Adapters = [],
): NetworkConfiguration {
  checkName('vswitchName', name, LONGEST_SWITCH_NAME);
  if (configuration.switches.some((other) => other.name === name)) throw new MethodFault('AlreadyExists', { name });
  const blank = { name, mtu: 1500, numPorts: DEFAULT_PORTS, security: DEFAULT_SECURITY };
  return { ...configuration, switches: [...configuration.switches, withSpec(configuration, blank, spec, adapters)] };
}

export function updateVirtualSwitch(
  configuration: NetworkConfiguration,
  name: string,
  spec: HostVirtualSwitchSpec,
  adapters: Adapters = [],
): NetworkConfiguration {
  const updated = withSpec(configuration, findSwitch(configuration, name), spec, adapters);
  return { ...configuration, switches: configuration.switches.map((other) => (other.name === name ? updated : other)) };
}

/** Takes its port groups along. */
export function removeVirtualSwitch(
  configuration: NetworkConfiguration,
  name: string,
  inUse: InUse,
): NetworkConfiguration {
  findSwitch(configuration, name);
  const members = configuration.portGroups.filter(({ vswitchName }) => vswitchName === name);
  if (members.some((group) => isUsed(configuration, group.name, inUse))) {
    throw new MethodFault('ResourceInUse', { type: 'HostVirtualSwitch', name });
  }
  const rest = members.reduce((left, group) => withoutPortGroup(left, group.name), configuration);
  return { ...rest, switches: rest.switches.filter((other) => other.name !== name) };
}

export function addPortGroup(configuration: NetworkConfiguration, spec: HostPortGroupSpec): NetworkConfiguration {
  const added = parsePortGroup(configuration, spec);
  if (configuration.portGroups.some(({ name }) => name === added.name)) {
    throw new MethodFault('AlreadyExists', { name: added.name });
  }
  return { ...configuration, portGroups: [...configuration.portGroups, added] };
}

/** What plays a part on this host plays it under the new name. */
export function updatePortGroup(
  configuration: NetworkConfiguration,
  name: string,
  spec: HostPortGroupSpec,
): NetworkConfiguration {
  findPortGroup(configuration, name);
  const updated = parsePortGroup(configuration, spec);
  if (updated.name !== name && configuration.portGroups.some((other) => other.name === updated.name)) {
    throw new MethodFault('AlreadyExists', { name: updated.name });
  }
  return {
    ...configuration,
    portGroups: configuration.portGroups.map((other) => (other.name === name ? updated : other)),
    ...(configuration.serviced === name ? { serviced: updated.name } : {}),
    ...(configuration.management === name ? { management: updated.name } : {}),
  };
}

export function removePortGroup(configuration: NetworkConfiguration, name: string, inUse: InUse): NetworkConfiguration {
  findPortGroup(configuration, name);
  if (isUsed(configuration, name, inUse)) throw new MethodFault('ResourceInUse', { type: 'HostPortGroup', name });
  return withoutPortGroup(configuration, name);
}

function withoutPortGroup(configuration: NetworkConfiguration, name: string): NetworkConfiguration {
  const { serviced, ...rest } = configuration;
  const portGroups = rest.portGroups.filter((other) => other.name !== name);
  return { ...rest, portGroups, ...(serviced === undefined || serviced === name ? {} : { serviced }) };
}

function isUsed(configuration: NetworkConfiguration, portGroup: string, inUse: InUse): boolean {
  return inUse.has(portGroup) || configuration.management === portGroup;
}

function withSpec(
  configuration: NetworkConfiguration,
  current: VirtualSwitch,
  spec: HostVirtualSwitchSpec | undefined,
  adapters: Adapters,
): VirtualSwitch {
  if (!spec) return current;
  const { numPorts, mtu = current.mtu, policy, bridge } = spec;
  if (numPorts < 1 || numPorts > MOST_PORTS) throw invalid('spec.numPorts');
  // govmomi sends 0 for unset over VI/JSON.
  if (mtu !== 0 && (mtu < MTU.least || mtu > MTU.most)) throw invalid('spec.mtu');
  const security = { ...current.security, ...readSecurity(policy) };
  const uplinks = readUplinks(bridge);
  requireUplinks(configuration, current, uplinks, adapters);
  const linked = withUplinks(current, uplinks, readTeaming(policy));
  return { ...linked, numPorts, mtu: mtu === 0 ? current.mtu : mtu, security };
}

function parsePortGroup(configuration: NetworkConfiguration, spec: HostPortGroupSpec): PortGroup {
  const { name, vlanId, vswitchName } = spec;
  checkName('portgrp.name', name, LONGEST_PORT_GROUP_NAME);
  if (vlanId < 0 || vlanId > TRUNK_VLAN) throw invalid('portgrp.vlanId');
  const { uplinks = [] } = findSwitch(configuration, vswitchName);
  const teaming = readTeaming(spec.policy);
  requireOrder(teaming, uplinks);
  const isOwn = Object.keys(teaming).length > 0;
  return { name, vswitchName, vlanId, security: readSecurity(spec.policy), ...(isOwn ? { teaming } : {}) };
}

function findSwitch(configuration: NetworkConfiguration, name: string): VirtualSwitch {
  const found = configuration.switches.find((other) => other.name === name);
  if (!found) throw new MethodFault('NotFound', {}, `There is no virtual switch '${name}'.`);
  return found;
}

function findPortGroup(configuration: NetworkConfiguration, name: string): void {
  if (!configuration.portGroups.some((other) => other.name === name)) {
    throw new MethodFault('NotFound', {}, `There is no port group '${name}'.`);
  }
}

function checkName(property: string, name: string, longest: number): void {
  if (name.trim() === '' || name.length > longest || /[\u0000-\u001f\u007f]/.test(name)) throw invalid(property);
}

function invalid(invalidProperty: string): MethodFault<'InvalidArgument'> {
  return new MethodFault('InvalidArgument', { invalidProperty });
}
