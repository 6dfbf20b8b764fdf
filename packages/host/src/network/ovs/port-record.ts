// A plugged NIC as the provider knows it, and as the switch's database keeps it for the next hostd (Port.external_ids). Pure.
import { createHash } from 'node:crypto';
import { isVmnicName } from '../adapters/physical-adapter.ts';
import { chooseUplink } from '../choose-uplink.ts';
import type { NetworkConfiguration } from '../configuration.ts';
import { effectiveSecurity, effectiveTeaming, servicedPortGroup, TRUNK_VLAN } from '../configuration.ts';
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
    /^[A-Za-z][A-Za-z0-9_.-]{0,14}$/.test(switchName) && !/^(lo|uplink|gateway|ovs-|tap|br-|vmnic)/.test(switchName);
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

/** What the switch should have. A port whose port group is gone is left out, and so are uplinks that are not `present`. */
export function desiredBridges(
  configuration: NetworkConfiguration,
  ports: readonly PortRecord[],
  service: ServicePort | undefined,
  datapath: Datapath,
  present: ReadonlySet<string> = new Set(),
): DesiredBridge[] {
  const isOn = (vswitchName: string, portGroup: string | undefined) =>
    configuration.portGroups.find(({ name }) => name === portGroup)?.vswitchName === vswitchName;
  const serviced = servicedPortGroup(configuration)?.name;
  return configuration.switches.map(({ name, mtu, uplinks = [] }) => ({
    name: bridgeName(name),
    datapath,
    mtu,
    ports: [
      ...(service && isOn(name, serviced) ? [desiredServicePort(configuration, service)] : []),
      ...uplinks.filter((uplink) => present.has(uplink)).map(desiredUplink),
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
): { readonly ports: SwitchPort[]; readonly uplinks: number[] } {
  const here = current.filter((port) => port.bridge === bridge && port.ofport !== undefined && port.ofport >= 0);
  const uplinks = new Map(here.flatMap((port) => (isVmnicName(port.name) ? [[port.name, port] as const] : [])));
  const hasLink = (uplink: string) => uplinks.get(uplink)?.link.hasLink ?? false;
  const found = here.flatMap(({ name: device, ofport = 0 }): SwitchPort[] => {
    const record = ports.find(({ ifname }) => ifname === device);
    const name = device === service?.ifname ? configuration.serviced : record?.portGroup;
    const portGroup = configuration.portGroups.find((group) => group.name === name);
    if (!portGroup) return [];
    const common = { ofport, vlanId: portGroup.vlanId, security: effectiveSecurity(configuration, portGroup) };
    // The host speaks untagged on a trunk.
    if (!record) {
      const vlanId = accessVlan(portGroup.vlanId) ?? 0;
      return service ? [{ ...common, vlanId, kind: 'service', mac: service.mac }] : [];
    }
    const chosen = chooseUplink(effectiveTeaming(configuration, portGroup), ofport, hasLink);
    const uplink = chosen === undefined ? undefined : uplinks.get(chosen)?.ofport;
    return [
      {
        ...common,
        kind: 'guest',
        mac: record.mac,
        effectiveMac: record.effectiveMac,
        ...(uplink === undefined ? {} : { uplink }),
      },
    ];
  });
  return { ports: found, uplinks: [...uplinks.values()].flatMap(({ ofport }) => ofport ?? []) };
}

function desiredUplink(name: string): DesiredPort {
  return { name, type: 'uplink', externalIds: {} };
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
