// The forwarding of one virtual switch as OpenFlow, so that it does what a vSphere standard switch does. Pure.
//
// The switch learns nothing: it knows which address sits on which port. (OVS's own NORMAL action learns, so one guest could
// draw another's traffic by sending with its address.)
//
//   table 0  admission: which VLAN a frame belongs to (register 0; the frame goes on untagged), whether its sender may have
//            sent it, and by which uplink its port speaks to the network beyond (register 1)
//   table 1  delivery of what a port sent: known address -> its port; group address -> every port of the VLAN, and beyond;
//            unknown address -> ports in promiscuous mode, and beyond. A switch without uplinks offers it to ports that may
//            have changed their address unseen
//   table 2  delivery of what an uplink brought: known address -> its port; group address -> every port of the VLAN that
//            speaks by this uplink; unknown address -> nobody but ports in promiscuous mode
//
// Between uplinks nothing passes, and what a port of the switch sent is not taken when another uplink brings it back: so there
// are no loops, without spanning tree, as on ESXi.
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
  /** OpenFlow number of the uplink that it speaks by; absent = it has none with a link. */
  readonly uplink?: number;
}

const GROUP_ADDRESSES = '01:00:00:00:00:00/01:00:00:00:00:00';
/** Addresses that no bridge may pass on (IEEE 802.1Q table 8-1): spanning tree, LACP, LLDP. */
const LINK_LOCAL_ADDRESSES = '01:80:c2:00:00:00/ff:ff:ff:ff:ff:f0';
const UNTAGGED = 'vlan_tci=0x0000/0x1000';
const TAGGED = 'vlan_tci=0x1000/0x1000';
/** Registers and `resubmit` are Nicira extensions, VLAN actions are written as OpenFlow 1.3 has them. */
export const OPENFLOW_VERSION = 'OpenFlow13';

/** Register 1 holds an uplink's number, or 0: no port has that. */
const TO_UPLINK = 'output:NXM_NX_REG1[]';
const NOTE_VLAN = 'move:OXM_OF_VLAN_VID[0..11]->NXM_NX_REG0[0..11],pop_vlan';

/** One VLAN that ports are members of, or every other one (which only trunks and uplinks reach). */
type Vlan = number | 'other';

/**
 * The flows of a switch, in ovs-ofctl's syntax, one a line; complete: flows that are not here are to be removed. `uplinks`: OpenFlow
 * numbers of those that are on the switch.
 */
export function planFlows(ports: readonly SwitchPort[], uplinks: readonly number[] = []): string[] {
  const open = ports.filter((port) => !isBlocked(port)).toSorted((a, b) => a.ofport - b.ofport);
  const beyond = [...uplinks].sort((a, b) => a - b);
  const vlans = [...new Set([0, ...open.map(({ vlanId }) => vlanId).filter((vlanId) => vlanId !== TRUNK_VLAN)])];
  const each = [...vlans.sort((a, b) => a - b), 'other'] as const;
  return [
    'table=0,priority=0,actions=drop',
    `table=0,priority=300,dl_src=${GROUP_ADDRESSES},actions=drop`,
    `table=0,priority=300,dl_dst=${LINK_LOCAL_ADDRESSES},actions=drop`,
    ...open.flatMap(admission),
    ...beyond.flatMap((uplink) => admissionFrom(uplink, open)),
    'table=1,priority=0,actions=drop',
    ...each.flatMap((vlan) => delivery(vlan, open, beyond.length > 0)),
    ...(beyond.length > 0 ? ['table=2,priority=0,actions=drop'] : []),
    ...beyond.flatMap((uplink) => each.flatMap((vlan) => deliveryFrom(uplink, vlan, open))),
  ];
}

function isBlocked({ kind, mac, effectiveMac, security }: SwitchPort): boolean {
  return kind === 'guest' && !security.macChanges && effectiveMac !== undefined && effectiveMac !== mac;
}

function admission(port: SwitchPort): string[] {
  const source = port.kind === 'guest' && !port.security.forgedTransmits ? `,dl_src=${addressOf(port)}` : '';
  const match = `table=0,priority=100,in_port=${port.ofport}${source}`;
  const go = [...(port.uplink === undefined ? [] : [`set_field:${port.uplink}->reg1`]), 'resubmit(,1)'].join(',');
  if (port.vlanId !== TRUNK_VLAN) return [`${match},${UNTAGGED},actions=set_field:${port.vlanId}->reg0,${go}`];
  return [`${match},${UNTAGGED},actions=set_field:0->reg0,${go}`, `${match},${TAGGED},actions=${NOTE_VLAN},${go}`];
}

function admissionFrom(uplink: number, ports: readonly SwitchPort[]): string[] {
  const match = `table=0,in_port=${uplink}`;
  return [
    ...ports
      .filter(({ kind }) => kind === 'guest')
      .map((port) => `${match},priority=200,dl_src=${addressOf(port)}${inVlanOf(port)},actions=drop`),
    `${match},priority=100,${UNTAGGED},actions=set_field:0->reg0,resubmit(,2)`,
    `${match},priority=100,${TAGGED},actions=${NOTE_VLAN},resubmit(,2)`,
  ];
}

/** As a frame of the port looks on an uplink. */
function inVlanOf({ vlanId }: SwitchPort): string {
  if (vlanId === TRUNK_VLAN) return '';
  return vlanId === 0 ? `,${UNTAGGED}` : `,vlan_tci=0x${(0x1000 | vlanId).toString(16)}/0x1fff`;
}

function delivery(vlan: Vlan, ports: readonly SwitchPort[], isLinked: boolean): string[] {
  const members = membersOf(vlan, ports);
  if (members.length === 0) return [];
  const flow = flowsOf(1, vlan, '', isLinked);
  return [
    flow(3, `,dl_dst=${GROUP_ADDRESSES}`, members, true),
    ...addressesOf(members).map((address) =>
      flow(
        2,
        `,dl_dst=${address}`,
        members.filter((port) => addressOf(port) === address || isPromiscuous(port)),
      ),
    ),
    flow(
      1,
      '',
      members.filter((port) => isPromiscuous(port) || (!isLinked && mayHaveChanged(port))),
      true,
    ),
  ];
}

function deliveryFrom(uplink: number, vlan: Vlan, ports: readonly SwitchPort[]): string[] {
  const members = membersOf(vlan, ports);
  if (members.length === 0) return [];
  const flow = flowsOf(2, vlan, `,in_port=${uplink}`, false);
  // A network beyond that has several uplinks to this switch brings a frame for all by each of them.
  const listeners = members.filter((port) => port.uplink === uplink);
  return [
    flow(3, `,dl_dst=${GROUP_ADDRESSES}`, listeners),
    ...addressesOf(members).map((address) =>
      flow(
        2,
        `,dl_dst=${address}`,
        members.filter((port) => addressOf(port) === address || (isPromiscuous(port) && port.uplink === uplink)),
      ),
    ),
    flow(1, '', listeners.filter(isPromiscuous)),
  ];
}

function membersOf(vlan: Vlan, ports: readonly SwitchPort[]): SwitchPort[] {
  return ports.filter(({ vlanId }) => vlanId === TRUNK_VLAN || vlanId === vlan);
}

function addressesOf(ports: readonly SwitchPort[]): string[] {
  return [...new Set(ports.map(addressOf))].sort();
}

/** A VLAN's own flows stand above those for every other VLAN. */
function flowsOf(table: number, vlan: Vlan, from: string, isLinked: boolean) {
  const base = vlan === 'other' ? 100 : 200;
  const inVlan = vlan === 'other' ? '' : `,reg0=${vlan}`;
  return (priority: number, match: string, receivers: readonly SwitchPort[], goesBeyond = false) =>
    `table=${table},priority=${base + priority}${inVlan}${match}${from},actions=${deliver(vlan, receivers, goesBeyond && isLinked)}`;
}

// Access ports get the frame as it is, trunks and the uplink with its tag again. A frame never goes out of the port that it came in
// by: OpenFlow's `output` leaves that port out.
function deliver(vlan: Vlan, receivers: readonly SwitchPort[], goesBeyond: boolean): string {
  const outputs = (ports: readonly SwitchPort[]) => ports.map(({ ofport }) => `output:${ofport}`);
  const access = outputs(receivers.filter(({ vlanId }) => vlanId !== TRUNK_VLAN));
  const tagged = [
    ...outputs(receivers.filter(({ vlanId }) => vlanId === TRUNK_VLAN)),
    ...(goesBeyond ? [TO_UPLINK] : []),
  ];
  const tag =
    vlan === 0 || tagged.length === 0 ? [] : ['push_vlan:0x8100', 'move:NXM_NX_REG0[0..11]->OXM_OF_VLAN_VID[0..11]'];
  return [...access, ...tag, ...tagged].join(',') || 'drop';
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
