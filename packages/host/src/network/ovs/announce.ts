// What tells physical switches by which uplink an address is reached now: a RARP request of its owner's, as ESXi sends it
// ("Notify switches"). Pure. Source: RFC 903; vSphere Networking, "Teaming and Failover Policy".
import { TRUNK_VLAN } from '../configuration.ts';
import type { SwitchPort } from './plan-flows.ts';

/** OpenFlow numbers: by which uplink each port speaks. */
export type Spoken = ReadonlyMap<number, number>;

export function spokenBy(ports: readonly SwitchPort[]): Spoken {
  return new Map(ports.flatMap(({ ofport, uplink }) => (uplink === undefined ? [] : [[ofport, uplink] as const])));
}

/** Lines of `ovs-ofctl bundle`: one for each port that speaks by another uplink than before. */
export function announcements(ports: readonly SwitchPort[], before: Spoken): string[] {
  return ports.flatMap(({ ofport, uplink, mac, effectiveMac, vlanId }) => {
    if (uplink === undefined || before.get(ofport) === uplink) return [];
    const frame = rarp(effectiveMac ?? mac, vlanId).toString('hex');
    return [`packet-out in_port=CONTROLLER,packet=${frame},actions=output:${uplink}`];
  });
}

const SHORTEST_FRAME = 60;

function rarp(mac: string, vlanId: number): Buffer {
  const address = Buffer.from(mac.replaceAll(':', ''), 'hex');
  const nobody = Buffer.alloc(4);
  const isTagged = vlanId !== 0 && vlanId !== TRUNK_VLAN;
  const tag = isTagged ? Buffer.from([0x81, 0x00, vlanId >> 8, vlanId & 0xff]) : Buffer.alloc(0);
  const request = Buffer.from([0x80, 0x35, 0, 1, 0x08, 0x00, 6, 4, 0, 3]);
  const frame = Buffer.concat([Buffer.alloc(6, 0xff), address, tag, request, address, nobody, address, nobody]);
  return Buffer.concat([frame, Buffer.alloc(SHORTEST_FRAME - frame.length)]);
}
