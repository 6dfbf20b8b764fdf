// The host's virtual network as data: what HostNetworkSystem changes, the store keeps and a provider realizes.

/** vSphere's security policy of a switch or port group, every part decided. */
export interface SecurityPolicy {
  readonly allowPromiscuous: boolean;
  readonly macChanges: boolean;
  readonly forgedTransmits: boolean;
}

export interface VirtualSwitch {
  readonly name: string;
  readonly mtu: number;
  /** Ports that clients are shown; the switch itself has no such limit. */
  readonly numPorts: number;
  readonly security: SecurityPolicy;
}

export interface PortGroup {
  readonly name: string;
  readonly vswitchName: string;
  /** 0 = untagged, 1-4094 = access VLAN, 4095 = trunk: the guest tags (VGT). */
  readonly vlanId: number;
  /** What this port group decides itself; the rest is its switch's. */
  readonly security: Partial<SecurityPolicy>;
}

export interface NetworkConfiguration {
  readonly switches: readonly VirtualSwitch[];
  readonly portGroups: readonly PortGroup[];
  /** Port group that has the host's DHCP, DNS and NAT on it; absent when it was removed. */
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
