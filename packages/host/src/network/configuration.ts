// The host's virtual network as data: what HostNetworkSystem changes, the store keeps and a provider realizes.

/** vSphere's security policy of a switch or port group, every part decided. */
export interface SecurityPolicy {
  readonly allowPromiscuous: boolean;
  readonly macChanges: boolean;
  readonly forgedTransmits: boolean;
}

/**
 * How a team of uplinks is used. `loadbalance_srcid`: each port goes out by one of the active ones; `failover_explicit`: all go
 * out by the first that has a link. A standby uplink takes the place of an active one without a link.
 */
export interface NicTeaming {
  readonly policy: TeamingPolicy;
  /** Names of uplinks (vmnic0), the preferred one first. */
  readonly active: readonly string[];
  readonly standby: readonly string[];
}

export const TEAMING_POLICIES = ['loadbalance_srcid', 'failover_explicit'] as const;
export type TeamingPolicy = (typeof TEAMING_POLICIES)[number];

export interface VirtualSwitch {
  readonly name: string;
  readonly mtu: number;
  /** Ports that clients are shown; the switch itself has no such limit. */
  readonly numPorts: number;
  readonly security: SecurityPolicy;
  /** Physical adapters (vmnic0) that it has, no other switch has them; absent = none. */
  readonly uplinks?: readonly string[];
  /** Absent = all uplinks are active, each port goes out by one of them. */
  readonly teaming?: NicTeaming;
}

export interface PortGroup {
  readonly name: string;
  readonly vswitchName: string;
  /** 0 = untagged, 1-4094 = access VLAN, 4095 = trunk: the guest tags (VGT). */
  readonly vlanId: number;
  /** What this port group decides itself; the rest is its switch's. */
  readonly security: Partial<SecurityPolicy>;
  readonly teaming?: Partial<NicTeaming>;
}

export interface NetworkConfiguration {
  readonly switches: readonly VirtualSwitch[];
  readonly portGroups: readonly PortGroup[];
  /**
   * Port group that has the host's DHCP, DNS and NAT on it; absent when it was removed. While its switch has uplinks these are
   * silent: the network beyond has its own (`servicedPortGroup`).
   */
  readonly serviced?: string;
  /** Port group that vmk0 is shown on. It cannot be removed. */
  readonly management: string;
}

/** The VLAN id that means "all of them, tagged". */
export const TRUNK_VLAN = 4095;

/** As a standard switch comes in ESXi: promiscuous mode refused, MAC changes and forged transmits accepted. */
export const DEFAULT_SECURITY: SecurityPolicy = { allowPromiscuous: false, macChanges: true, forgedTransmits: true };

export const VM_NETWORK = 'VM Network';
const MANAGEMENT_NETWORK = 'Management Network';

/** What a new host has, as a freshly installed ESXi: vSwitch0 with two untagged port groups. */
export const INITIAL_CONFIGURATION: NetworkConfiguration = {
  switches: [{ name: 'vSwitch0', mtu: 1500, numPorts: 128, security: DEFAULT_SECURITY }],
  portGroups: [
    { name: VM_NETWORK, vswitchName: 'vSwitch0', vlanId: 0, security: {} },
    { name: MANAGEMENT_NETWORK, vswitchName: 'vSwitch0', vlanId: 0, security: {} },
  ],
  serviced: VM_NETWORK,
  management: MANAGEMENT_NETWORK,
};

/** The policy that holds on a port group: its own decisions over its switch's. */
export function effectiveSecurity(configuration: NetworkConfiguration, portGroup: PortGroup): SecurityPolicy {
  const ofSwitch = configuration.switches.find(({ name }) => name === portGroup.vswitchName)?.security;
  return { ...DEFAULT_SECURITY, ...ofSwitch, ...portGroup.security };
}

/** The port group that is served by the host: guests of a switch with uplinks belong to the network beyond. */
export function servicedPortGroup({ serviced, portGroups, switches }: NetworkConfiguration): PortGroup | undefined {
  const group = portGroups.find(({ name }) => name === serviced);
  const vswitch = switches.find(({ name }) => name === group?.vswitchName);
  return vswitch && (vswitch.uplinks ?? []).length === 0 ? group : undefined;
}

export function uplinksOf({ switches }: Pick<NetworkConfiguration, 'switches'>): string[] {
  return switches.flatMap(({ uplinks = [] }) => uplinks);
}

/** The teaming of a switch, with uplinks that it really has. */
export function switchTeaming({ uplinks = [], teaming }: VirtualSwitch): NicTeaming {
  return teaming ?? { policy: TEAMING_POLICIES[0], active: uplinks, standby: [] };
}

/** The teaming that holds on a port group: its own decisions over its switch's. */
export function effectiveTeaming({ switches }: NetworkConfiguration, portGroup: PortGroup): NicTeaming {
  const vswitch = switches.find(({ name }) => name === portGroup.vswitchName);
  const isThere = (uplink: string) => vswitch?.uplinks?.includes(uplink) ?? false;
  const { policy, active, standby } = {
    ...(vswitch ? switchTeaming(vswitch) : { policy: TEAMING_POLICIES[0], active: [], standby: [] }),
    ...portGroup.teaming,
  };
  return { policy, active: active.filter(isThere), standby: standby.filter(isThere) };
}
