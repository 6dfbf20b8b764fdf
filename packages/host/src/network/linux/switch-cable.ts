// Network devices as cables of the switch: up, and deaf for everybody else.
import { IFNAMSIZ, interfaceRequest } from './interface-request.ts';
import { type Libc, SystemCallError } from './libc.ts';
import type { NetworkNamespace } from './network-namespace.ts';

// <linux/sockios.h>, <linux/if.h>
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCETHTOOL = 0x8946;
const IFF_UP = 0x1;
const IFF_NOARP = 0x80;
// <linux/ethtool.h>
const ETHTOOL_GFLAGS = 0x25;
const ETHTOOL_SFLAGS = 0x26;
const ETHTOOL_GGRO = 0x2b;
const ETHTOOL_SGRO = 0x2c;
const ETH_FLAG_LRO = 1 << 15;
const NOT_THERE = ['EOPNOTSUPP', 'EINVAL', 'EPERM'];

/**
 * Brings a tap or an adapter up as a cable and no more: what comes in is for the switch. The namespace's own IP would otherwise
 * hear it too, answer ARP with the device's address and route around the switch, its VLANs and its policies.
 */
export function bringUp(libc: Libc, namespace: NetworkNamespace, ifname: string): void {
  // No route leads back through it, so the strict reverse path filter lets no packet in (ip-sysctl: rp_filter).
  namespace.writeSetting(`ipv4/conf/${ifname}/rp_filter`, '1');
  namespace.writeSetting(`ipv4/conf/${ifname}/drop_unicast_in_l2_multicast`, '1');
  namespace.run(() => {
    const socket = libc.deviceSocket();
    try {
      const request = interfaceRequest(ifname);
      libc.ioctl(socket, SIOCGIFFLAGS, request);
      request.writeUInt16LE(request.readUInt16LE(IFNAMSIZ) | IFF_UP | IFF_NOARP, IFNAMSIZ);
      libc.ioctl(socket, SIOCSIFFLAGS, request);
    } finally {
      libc.close(socket);
    }
  });
}

/** What an adapter makes of frames before it hands them on: whether small ones are put together to large ones (GRO, LRO). */
export interface FrameJoining {
  readonly gro: boolean;
  readonly lro: boolean;
}

/** As frames came: joined ones would not fit into what Open vSwitch's userspace datapath reads, and be lost. */
export const APART: FrameJoining = { gro: false, lro: false };

export function frameJoining(libc: Libc, ifname: string): FrameJoining {
  return askingAbout(libc, ifname, (ask) => ({
    gro: ask(ETHTOOL_GGRO) !== 0,
    lro: (ask(ETHTOOL_GFLAGS) & ETH_FLAG_LRO) !== 0,
  }));
}

/** What an adapter has no switch for it does not do. */
export function setFrameJoining(libc: Libc, ifname: string, { gro, lro }: FrameJoining): void {
  askingAbout(libc, ifname, (ask) => {
    ask(ETHTOOL_SGRO, gro ? 1 : 0);
    const flags = ask(ETHTOOL_GFLAGS);
    const wanted = lro ? flags | ETH_FLAG_LRO : flags & ~ETH_FLAG_LRO;
    if (wanted !== flags) ask(ETHTOOL_SFLAGS, wanted);
  });
}

/** `ask` sends a struct ethtool_value and returns the value that came back; 0 for what the adapter does not know. */
function askingAbout<T>(libc: Libc, ifname: string, work: (ask: (command: number, value?: number) => number) => T): T {
  const socket = libc.deviceSocket();
  const ask = (command: number, value = 0): number => {
    const pointed = Buffer.alloc(8);
    pointed.writeUInt32LE(command, 0);
    pointed.writeUInt32LE(value, 4);
    try {
      libc.ioctlPointing(socket, SIOCETHTOOL, interfaceRequest(ifname), IFNAMSIZ, pointed);
    } catch (error) {
      if (!(error instanceof SystemCallError) || !NOT_THERE.includes(error.code)) throw error;
      return 0;
    }
    return pointed.readUInt32LE(4);
  };
  try {
    return work(ask);
  } finally {
    libc.close(socket);
  }
}
