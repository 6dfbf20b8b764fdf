// Ethernet frames for tests: just enough of ARP, IPv4, ICMP and UDP to be a guest on a tap. Pure.

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100 } as const;
export const PROTOCOL = { icmp: 1, udp: 17 } as const;

export interface EthernetFrame {
  readonly destination: string;
  readonly source: string;
  /** Present when the frame carries an 802.1Q tag. */
  readonly vlanId?: number;
  readonly type: number;
  readonly payload: Buffer;
}

export interface Ipv4Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: Buffer;
}

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Buffer;
}

export function formatFrame(frame: EthernetFrame): Buffer {
  const tag = Buffer.alloc(frame.vlanId === undefined ? 0 : 4);
  if (frame.vlanId !== undefined) {
    tag.writeUInt16BE(ETHERTYPE.vlan, 0);
    tag.writeUInt16BE(frame.vlanId, 2);
  }
  const type = Buffer.alloc(2);
  type.writeUInt16BE(frame.type);
  const parts = Buffer.concat([macBytes(frame.destination), macBytes(frame.source), tag, type, frame.payload]);
  return parts.length >= 60 ? parts : Buffer.concat([parts, Buffer.alloc(60 - parts.length)]);
}

export function parseFrame(bytes: Buffer): EthernetFrame {
  const isTagged = bytes.readUInt16BE(12) === ETHERTYPE.vlan;
  const at = isTagged ? 16 : 12;
  return {
    destination: formatMac(bytes.subarray(0, 6)),
    source: formatMac(bytes.subarray(6, 12)),
    ...(isTagged ? { vlanId: bytes.readUInt16BE(14) & 0xfff } : {}),
    type: bytes.readUInt16BE(at),
    payload: bytes.subarray(at + 2),
  };
}

export function formatIpv4(packet: Ipv4Packet): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + packet.payload.length, 2);
  header[8] = 64;
  header[9] = packet.protocol;
  addressBytes(packet.source).copy(header, 12);
  addressBytes(packet.destination).copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, packet.payload]);
}

/** Throws on a wrong header checksum. */
export function parseIpv4(bytes: Buffer): Ipv4Packet {
  const headerLength = ((bytes[0] ?? 0) & 0xf) * 4;
  if (checksum(bytes.subarray(0, headerLength)) !== 0) throw new Error('wrong IPv4 header checksum');
  return {
    source: formatAddress(bytes.subarray(12, 16)),
    destination: formatAddress(bytes.subarray(16, 20)),
    protocol: bytes[9] ?? 0,
    payload: bytes.subarray(headerLength, bytes.readUInt16BE(2)),
  };
}

export function formatUdp(datagram: UdpDatagram, source: string, destination: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(datagram.sourcePort, 0);
  header.writeUInt16BE(datagram.destinationPort, 2);
  header.writeUInt16BE(8 + datagram.payload.length, 4);
  const bytes = Buffer.concat([header, datagram.payload]);
  bytes.writeUInt16BE(checksum(Buffer.concat([pseudoHeader(source, destination, bytes.length), bytes])) || 0xffff, 6);
  return bytes;
}

/** Throws on a wrong checksum: it would mean that the switch hands out frames that a real guest drops. */
export function parseUdp({ source, destination, payload }: Ipv4Packet): UdpDatagram {
  const isSummed = payload.readUInt16BE(6) !== 0;
  if (isSummed && checksum(Buffer.concat([pseudoHeader(source, destination, payload.length), payload])) !== 0) {
    throw new Error('wrong UDP checksum');
  }
  return {
    sourcePort: payload.readUInt16BE(0),
    destinationPort: payload.readUInt16BE(2),
    payload: payload.subarray(8),
  };
}

/** RFC 1071, over whole packets: 0 when a packet that holds its checksum is right. */
export function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

export function formatMac(bytes: Buffer): string {
  return bytes.toString('hex').match(/../g)?.join(':') ?? '';
}

export function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

export function formatAddress(bytes: Buffer): string {
  return [...bytes].join('.');
}

function pseudoHeader(source: string, destination: string, length: number): Buffer {
  const tail = Buffer.from([0, PROTOCOL.udp, length >>> 8, length & 0xff]);
  return Buffer.concat([addressBytes(source), addressBytes(destination), tail]);
}
