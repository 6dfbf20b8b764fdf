// The forwarding of one virtual switch as OpenFlow, so that it does what a vSphere standard switch does. Pure.
//
// The switch learns nothing: it knows which address sits on which port. (OVS's own NORMAL action learns, so one guest could
// draw another's traffic by sending with its address.)
//
//   table 0  admission: which VLAN a frame belongs to (register 0; the frame goes on untagged), and whether its sender may
//            have sent it
//   table 1  delivery: known address -> its port; group address -> every port of the VLAN; unknown address -> ports in
//            promiscuous mode, and ports that may have changed their address unseen
//
// Security policy (vSphere Security, "Securing vSphere Standard Switches"): MAC changes = Reject blocks a port whose effective
// address is not its initial one; Forged transmits = Reject drops frames from another source than the effective address;
// Promiscuous mode = Accept lets a port see all frames of its VLAN, or of all VLANs on a trunk.
import { type SecurityPolicy, TRUNK_VLAN } from '../configuration.ts';

export interface SwitchPort {
  readonly ofport: number;
  readonly vlanId: number;
  /** `service` = the host's own port (DHCP, gateway): no policy holds for it. */
  readonly kind: 'guest' | 'service';
  readonly mac: string;
  /** The address that the guest uses, where it is known to differ. */
  readonly effectiveMac?: string;
  readonly security: SecurityPolicy;
}

const GROUP_ADDRESSES = '01:00:00:00:00:00/01:00:00:00:00:00';
/** Addresses that no bridge may pass on (IEEE 802.1Q table 8-1): spanning tree, LACP, LLDP. */
const LINK_LOCAL_ADDRESSES = '01:80:c2:00:00:00/ff:ff:ff:ff:ff:f0';
const UNTAGGED = 'vlan_tci=0x0000/0x1000';
const TAGGED = 'vlan_tci=0x1000/0x1000';
/** Registers and `resubmit` are Nicira extensions, VLAN actions are written as OpenFlow 1.3 has them. */
export const OPENFLOW_VERSION = 'OpenFlow13';

/** One VLAN that ports are members of, or every other one (which only trunks reach). */
type Vlan = number | 'other';

/** The flows of a switch, in ovs-ofctl's syntax, one a line; complete: flows that are not here are to be removed. */
export function planFlows(ports: readonly SwitchPort[]): string[] {
  const open = ports.filter((port) => !isBlocked(port)).toSorted((a, b) => a.ofport - b.ofport);
  const vlans = new Set([0, ...open.map(({ vlanId }) => vlanId).filter((vlanId) => vlanId !== TRUNK_VLAN)]);
  return [
    'table=0,priority=0,actions=drop',
    `table=0,priority=300,dl_src=${GROUP_ADDRESSES},actions=drop`,
    `table=0,priority=300,dl_dst=${LINK_LOCAL_ADDRESSES},actions=drop`,
    ...open.flatMap(admission),
    'table=1,priority=0,actions=drop',
    ...[...vlans].sort((a, b) => a - b).flatMap((vlanId) => delivery(vlanId, open)),
    ...delivery('other', open),
  ];
}

function isBlocked({ kind, mac, effectiveMac, security }: SwitchPort): boolean {
  return kind === 'guest' && !security.macChanges && effectiveMac !== undefined && effectiveMac !== mac;
}

function admission(port: SwitchPort): string[] {
  const source = port.kind === 'guest' && !port.security.forgedTransmits ? `,dl_src=${addressOf(port)}` : '';
  const match = `table=0,priority=100,in_port=${port.ofport}${source}`;
  if (port.vlanId !== TRUNK_VLAN) {
    return [`${match},${UNTAGGED},actions=set_field:${port.vlanId}->reg0,resubmit(,1)`];
  }
  return [
    `${match},${UNTAGGED},actions=set_field:0->reg0,resubmit(,1)`,
    `${match},${TAGGED},actions=move:OXM_OF_VLAN_VID[0..11]->NXM_NX_REG0[0..11],pop_vlan,resubmit(,1)`,
  ];
}

function delivery(vlan: Vlan, ports: readonly SwitchPort[]): string[] {
  const members = ports.filter(({ vlanId }) => vlanId === TRUNK_VLAN || vlanId === vlan);
  if (members.length === 0) return [];
  // A VLAN's own flows stand above those for every other VLAN.
  const base = vlan === 'other' ? 100 : 200;
  const inVlan = vlan === 'other' ? '' : `,reg0=${vlan}`;
  const flow = (priority: number, match: string, receivers: readonly SwitchPort[]) =>
    `table=1,priority=${base + priority}${inVlan}${match},actions=${deliver(vlan, receivers)}`;
  const addresses = new Set(members.map(addressOf));
  return [
    flow(3, `,dl_dst=${GROUP_ADDRESSES}`, members),
    ...[...addresses].sort().map((address) =>
      flow(
        2,
        `,dl_dst=${address}`,
        members.filter((port) => addressOf(port) === address || isPromiscuous(port)),
      ),
    ),
    flow(
      1,
      '',
      members.filter((port) => isPromiscuous(port) || mayHaveChanged(port)),
    ),
  ];
}

// Access ports get the frame as it is, trunks with its tag again. A frame never goes out of the port that it came in by:
// OpenFlow's `output` leaves that port out.
function deliver(vlan: Vlan, receivers: readonly SwitchPort[]): string {
  const trunks = receivers.filter(({ vlanId }) => vlanId === TRUNK_VLAN);
  const access = receivers.filter(({ vlanId }) => vlanId !== TRUNK_VLAN);
  const outputs = (ports: readonly SwitchPort[]) => ports.map(({ ofport }) => `output:${ofport}`);
  const tag =
    vlan === 0 || trunks.length === 0 ? [] : ['push_vlan:0x8100', 'move:NXM_NX_REG0[0..11]->OXM_OF_VLAN_VID[0..11]'];
  return [...outputs(access), ...tag, ...outputs(trunks)].join(',') || 'drop';
}

function addressOf({ mac, effectiveMac }: SwitchPort): string {
  return effectiveMac ?? mac;
}

function isPromiscuous({ kind, security }: SwitchPort): boolean {
  return kind === 'guest' && security.allowPromiscuous;
}

// Most emulated NICs do not tell their effective address. Where the policy lets it change, the port is offered what nobody
// else is known to own; the guest's NIC takes it or not.
function mayHaveChanged({ kind, security }: SwitchPort): boolean {
  return kind === 'guest' && security.macChanges;
}
