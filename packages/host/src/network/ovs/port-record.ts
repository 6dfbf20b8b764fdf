// A plugged NIC as the provider knows it, and as the switch's database keeps it for the next hostd (Port.external_ids). Pure.
import { createHash } from 'node:crypto';
import type { NetworkConfiguration } from '../configuration.ts';
import { effectiveSecurity, TRUNK_VLAN } from '../configuration.ts';
import type { PortInfo } from '../provider.ts';
import type { SwitchPort } from './plan-flows.ts';
import type { CurrentPort, Datapath, DesiredBridge, DesiredPort } from './plan-rows.ts';

export interface PortRecord extends PortInfo {
  readonly effectiveMac: string;
}

/** The host's own port on the serviced port group: gateway, DHCP and DNS of the guests. */
export interface ServicePort {
  readonly ifname: string;
  readonly mac: string;
}

/** The tap of a port: the same for the same key, and short enough for a device's name. */
export function tapName(portKey: string): string {
  return `tap${digest(portKey)}`;
}

export function isTapName(name: string): boolean {
  return /^tap[0-9a-f]{10}$/.test(name);
}

/** The OVS bridge of a virtual switch: its own name when that can be a device's, and is not one of ours. */
export function bridgeName(switchName: string): string {
  const isUsable =
    /^[A-Za-z][A-Za-z0-9_.-]{0,14}$/.test(switchName) && !/^(lo|uplink|gateway|ovs-|tap|br-)/.test(switchName);
  return isUsable ? switchName : `br-${digest(switchName)}`;
}

export function parsePort({ name, externalIds }: CurrentPort): PortRecord | undefined {
  const portKey = externalIds['port-key'];
  const mac = externalIds['mac'];
  const portGroup = externalIds['port-group'];
  if (portKey === undefined || mac === undefined || portGroup === undefined) return undefined;
  const effectiveMac = externalIds['effective-mac'] ?? mac;
  return { portKey, mac, portGroup, effectiveMac, vmName: externalIds['vm-name'] ?? '', ifname: name };
}

/** What the switch should have. A port whose port group is gone is left out. */
export function desiredBridges(
  configuration: NetworkConfiguration,
  ports: readonly PortRecord[],
  service: ServicePort | undefined,
  datapath: Datapath,
): DesiredBridge[] {
  const isOn = (vswitchName: string, portGroup: string | undefined) =>
    configuration.portGroups.find(({ name }) => name === portGroup)?.vswitchName === vswitchName;
  return configuration.switches.map(({ name, mtu }) => ({
    name: bridgeName(name),
    datapath,
    mtu,
    ports: [
      ...(service && isOn(name, configuration.serviced) ? [desiredServicePort(configuration, service)] : []),
      ...ports.filter(({ portGroup }) => isOn(name, portGroup)).map((port) => desiredPort(configuration, port)),
    ],
  }));
}

/** The switch's ports as the flows see them; those that the switch has no number for yet are left out. */
export function switchPorts(
  configuration: NetworkConfiguration,
  ports: readonly PortRecord[],
  service: ServicePort | undefined,
  current: readonly CurrentPort[],
  bridge: string,
): SwitchPort[] {
  return current.flatMap((there): SwitchPort[] => {
    if (there.bridge !== bridge || there.ofport === undefined || there.ofport < 0) return [];
    const record = ports.find(({ ifname }) => ifname === there.name);
    const name = there.name === service?.ifname ? configuration.serviced : record?.portGroup;
    const portGroup = configuration.portGroups.find((group) => group.name === name);
    if (!portGroup) return [];
    const common = {
      ofport: there.ofport,
      vlanId: portGroup.vlanId,
      security: effectiveSecurity(configuration, portGroup),
    };
    if (record) return [{ ...common, kind: 'guest', mac: record.mac, effectiveMac: record.effectiveMac }];
    // The host speaks untagged on a trunk.
    return service ? [{ ...common, vlanId: accessVlan(portGroup.vlanId) ?? 0, kind: 'service', mac: service.mac }] : [];
  });
}

function desiredPort(configuration: NetworkConfiguration, port: PortRecord): DesiredPort {
  return {
    name: port.ifname,
    type: 'tap',
    ...tagOf(configuration, port.portGroup),
    externalIds: {
      'port-key': port.portKey,
      mac: port.mac,
      'effective-mac': port.effectiveMac,
      'port-group': port.portGroup,
      'vm-name': port.vmName,
    },
  };
}

function desiredServicePort(configuration: NetworkConfiguration, service: ServicePort): DesiredPort {
  return {
    name: service.ifname,
    type: 'internal',
    mac: service.mac,
    ...tagOf(configuration, configuration.serviced),
    externalIds: {},
  };
}

function tagOf(configuration: NetworkConfiguration, portGroup: string | undefined): { tag?: number } {
  const tag = accessVlan(configuration.portGroups.find(({ name }) => name === portGroup)?.vlanId ?? 0);
  return tag === undefined ? {} : { tag };
}

function accessVlan(vlanId: number): number | undefined {
  return vlanId === 0 || vlanId === TRUNK_VLAN ? undefined : vlanId;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
