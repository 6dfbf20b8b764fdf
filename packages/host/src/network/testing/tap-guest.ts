// A guest without a machine, for tests: holds a tap's descriptor as QEMU would and speaks ARP, DHCP, ping and UDP echo.
import { closeSync, readSync, writeSync } from 'node:fs';
import type { NicConnection } from '../provider.ts';
import * as wire from './frames.ts';
import { ETHERTYPE, type EthernetFrame, PROTOCOL } from './frames.ts';

/** Every answer that a test waits for comes within this, or does not come. */
const PATIENCE_MS = 5_000;

/** How long a test listens for what must not come: the switch delivers within a millisecond. */
export const SILENCE_MS = 200;

export interface Lease {
  readonly address: string;
  readonly router: string;
  readonly nameServer: string;
  readonly hostName: string;
}

export interface TapGuest {
  readonly mac: string;
  /** Every frame that came, oldest first. */
  readonly seen: readonly EthernetFrame[];
  /** Answers ARP, ping and UDP (with the same payload) for this address from now on. */
  setAddress(address: string): void;
  send(frame: EthernetFrame): void;
  /** The first frame, come or coming, that `find` makes something of; undefined when none comes within `withinMs`. */
  wait<T>(find: (frame: EthernetFrame) => T | undefined, withinMs?: number): Promise<T | undefined>;
  /** DISCOVER, OFFER, REQUEST, ACK; takes the address. */
  dhcp(withinMs?: number): Promise<Lease>;
  /** Whether the other answers one ARP request for `target` within `withinMs`; its address then. */
  arp(target: string, withinMs?: number): Promise<string | undefined>;
  /** Sends a datagram and returns the answer's text. */
  askUdp(target: { address: string; port: number; via: string }, text: string): Promise<string | undefined>;
  close(): void;
}

export function plugIn(connection: NicConnection, mac: string): TapGuest {
  if (connection.kind !== 'tap') throw new Error('not a tap');
  const fd = connection.openFd();
  const seen: EthernetFrame[] = [];
  const waiting = new Set<() => void>();
  let address: string | undefined;
  let isClosed = false;

  const send = (frame: EthernetFrame) => void writeSync(fd, wire.formatFrame(frame));
  const sendIpv4 = (destination: string, packet: wire.Ipv4Packet) =>
    send({ destination, source: mac, type: ETHERTYPE.ipv4, payload: wire.formatIpv4(packet) });

  // Descriptors of taps cannot be given to Node's event loop; they are non-blocking, so looking costs little.
  const buffer = Buffer.alloc(65_536);
  // oxlint-disable-next-line no-restricted-globals -- a test's own time
  const reader = setInterval(() => {
    for (let bytes = tryRead(fd, buffer); bytes > 0; bytes = tryRead(fd, buffer)) {
      const frame = wire.parseFrame(Buffer.from(buffer.subarray(0, bytes)));
      seen.push(frame);
      if (address !== undefined) answer(frame, address);
    }
    for (const wake of waiting) wake();
  }, 2);

  const answer = (frame: EthernetFrame, own: string) => {
    if (frame.type === ETHERTYPE.arp) {
      const request = parseArp(frame.payload);
      if (request.operation !== 1 || request.targetAddress !== own) return;
      const reply = formatArp({
        operation: 2,
        senderMac: mac,
        senderAddress: own,
        targetMac: request.senderMac,
        targetAddress: request.senderAddress,
      });
      send({ destination: request.senderMac, source: mac, type: ETHERTYPE.arp, payload: reply });
    } else if (frame.type === ETHERTYPE.ipv4 && frame.destination === mac) {
      const packet = wire.parseIpv4(frame.payload);
      if (packet.destination !== own || packet.protocol !== PROTOCOL.udp) return;
      const datagram = wire.parseUdp(packet);
      if (datagram.destinationPort !== ECHO_PORT) return;
      const turned = {
        sourcePort: datagram.destinationPort,
        destinationPort: datagram.sourcePort,
        payload: datagram.payload,
      };
      const payload = wire.formatUdp(turned, own, packet.source);
      sendIpv4(frame.source, { source: own, destination: packet.source, protocol: PROTOCOL.udp, payload });
    }
  };

  const wait: TapGuest['wait'] = async (find, withinMs = PATIENCE_MS) => {
    const deadline = performance.now() + withinMs;
    for (let next = 0; ; ) {
      for (; next < seen.length; next++) {
        const found = find(seen[next] as EthernetFrame);
        if (found !== undefined) return found;
      }
      if (performance.now() > deadline) return undefined;
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
      });
    }
  };

  const guest: TapGuest = {
    mac,
    seen,
    send,
    wait,
    setAddress: (own) => {
      address = own;
    },
    dhcp: async (withinMs) => {
      const transaction = 0x5649_0000 + seen.length;
      const exchange = async (type: number, options: readonly number[], expected: number) => {
        const payload = wire.formatUdp(
          { sourcePort: 68, destinationPort: 67, payload: formatDhcp(mac, transaction, type, options) },
          '0.0.0.0',
          '255.255.255.255',
        );
        sendIpv4(wire.BROADCAST, {
          source: '0.0.0.0',
          destination: '255.255.255.255',
          protocol: PROTOCOL.udp,
          payload,
        });
        const reply = await wait((frame) => findDhcp(frame, transaction, expected), withinMs);
        if (!reply) throw new Error(`no DHCP answer of type ${expected}`);
        return reply;
      };
      const offer = await exchange(1, [], 2);
      const server = offer.options.get(54) ?? Buffer.alloc(4);
      const chosen = [50, 4, ...wire.addressBytes(offer.address), 54, 4, ...server];
      const granted = await exchange(3, chosen, 5);
      const option = (code: number) => granted.options.get(code) ?? Buffer.alloc(0);
      guest.setAddress(granted.address);
      return {
        address: granted.address,
        router: wire.formatAddress(option(3)),
        nameServer: wire.formatAddress(option(6)),
        hostName: option(12).toString('latin1'),
      };
    },
    // Asks again every second, as systems do: a switch that is being changed may lose a frame.
    arp: async (target, withinMs = PATIENCE_MS) => {
      const request = formatArp({
        operation: 1,
        senderMac: mac,
        senderAddress: address ?? '0.0.0.0',
        targetMac: '00:00:00:00:00:00',
        targetAddress: target,
      });
      const from = seen.length;
      const deadline = performance.now() + withinMs;
      for (;;) {
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) return undefined;
        send({ destination: wire.BROADCAST, source: mac, type: ETHERTYPE.arp, payload: request });
        const answer = await wait(
          (frame) => {
            if (frame.type !== ETHERTYPE.arp || seen.indexOf(frame) < from) return undefined;
            const reply = parseArp(frame.payload);
            return reply.operation === 2 && reply.senderAddress === target ? reply.senderMac : undefined;
          },
          Math.min(1_000, leftMs),
        );
        if (answer !== undefined) return answer;
      }
    },
    askUdp: async (target, text) => {
      const own = address ?? '0.0.0.0';
      const hop = await guest.arp(target.via);
      if (hop === undefined) throw new Error(`${target.via} does not answer ARP`);
      const sourcePort = 40_000 + (seen.length % 10_000);
      const payload = wire.formatUdp(
        { sourcePort, destinationPort: target.port, payload: Buffer.from(text) },
        own,
        target.address,
      );
      sendIpv4(hop, { source: own, destination: target.address, protocol: PROTOCOL.udp, payload });
      return wait((frame) => {
        const packet = frame.type === ETHERTYPE.ipv4 ? wire.parseIpv4(frame.payload) : undefined;
        if (packet?.protocol !== PROTOCOL.udp || packet.source !== target.address) return undefined;
        const reply = wire.parseUdp(packet);
        return reply.destinationPort === sourcePort ? reply.payload.toString() : undefined;
      });
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      clearInterval(reader);
      closeSync(fd);
    },
  };
  return guest;
}

/** RFC 862. */
export const ECHO_PORT = 7;

const EBADFD = 77;

function tryRead(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    const isGone = error instanceof Error && 'errno' in error && error.errno === -EBADFD; // the test took the tap away
    if (isGone || (error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return 0;
    throw error;
  }
}

interface Arp {
  readonly operation: number;
  readonly senderMac: string;
  readonly senderAddress: string;
  readonly targetMac: string;
  readonly targetAddress: string;
}

function formatArp(arp: Arp): Buffer {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, arp.operation]);
  const addresses = [
    wire.macBytes(arp.senderMac),
    wire.addressBytes(arp.senderAddress),
    wire.macBytes(arp.targetMac),
    wire.addressBytes(arp.targetAddress),
  ];
  return Buffer.concat([head, ...addresses]);
}

function parseArp(payload: Buffer): Arp {
  return {
    operation: payload.readUInt16BE(6),
    senderMac: wire.formatMac(payload.subarray(8, 14)),
    senderAddress: wire.formatAddress(payload.subarray(14, 18)),
    targetMac: wire.formatMac(payload.subarray(18, 24)),
    targetAddress: wire.formatAddress(payload.subarray(24, 28)),
  };
}

const DHCP_COOKIE = [0x63, 0x82, 0x53, 0x63];

function formatDhcp(mac: string, transaction: number, type: number, options: readonly number[]): Buffer {
  const head = Buffer.alloc(236);
  head.set([1, 1, 6, 0]);
  head.writeUInt32BE(transaction, 4);
  head.writeUInt16BE(0x8000, 10); // answer by broadcast
  wire.macBytes(mac).copy(head, 28);
  const wanted = [55, 4, 1, 3, 6, 12];
  return Buffer.concat([head, Buffer.from([...DHCP_COOKIE, 53, 1, type, ...options, ...wanted, 255])]);
}

function findDhcp(frame: EthernetFrame, transaction: number, type: number) {
  if (frame.type !== ETHERTYPE.ipv4) return undefined;
  const packet = wire.parseIpv4(frame.payload);
  if (packet.protocol !== PROTOCOL.udp) return undefined;
  const { destinationPort, payload } = wire.parseUdp(packet);
  if (destinationPort !== 68 || payload.readUInt32BE(4) !== transaction) return undefined;
  const options = new Map<number, Buffer>();
  for (let at = 240; at < payload.length && payload[at] !== 255; ) {
    const length = payload[at] === 0 ? -1 : (payload[at + 1] ?? 0);
    if (length >= 0) options.set(payload[at] ?? 0, payload.subarray(at + 2, at + 2 + length));
    at += length + 2;
  }
  return options.get(53)?.[0] === type ? { address: wire.formatAddress(payload.subarray(16, 20)), options } : undefined;
}
