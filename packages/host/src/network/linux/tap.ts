// TAP devices: the cable between a QEMU (which holds a descriptor) and the switch (which knows the device by its name).
import type { Libc } from './libc.ts';
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from './libc.ts';
import type { NetworkNamespace } from './network-namespace.ts';

// <linux/if_tun.h>
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
// <linux/sockios.h>, <linux/if.h>
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 0x1;
const IFF_NOARP = 0x80;
/** sizeof(struct ifreq): the name in 16 bytes, then the flags. */
const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;

export interface TapOptions {
  readonly ifname: string;
  /**
   * A virtio-net header before every frame, so that checksums and segmentation may be left to the receiver. Only where the
   * switch understands it: Open vSwitch's userspace datapath without TSO does not, and TCP would not come through.
   */
  readonly vnetHeader: boolean;
}

/** Opens the tap in the namespace, making it when it is not there. EBUSY while another process holds it. */
export function openTap(libc: Libc, namespace: NetworkNamespace, tap: TapOptions): number {
  return namespace.run(() => {
    const fd = libc.open('/dev/net/tun', O_RDWR | O_CLOEXEC | O_NONBLOCK);
    try {
      libc.ioctl(fd, TUNSETIFF, interfaceRequest(tap.ifname, tapFlags(tap)));
    } catch (error) {
      libc.close(fd);
      throw error;
    }
    return fd;
  });
}

/** Makes a tap that stays when nobody holds it, so that its port on the switch survives the QEMU. */
export function createPersistentTap(libc: Libc, namespace: NetworkNamespace, tap: TapOptions): void {
  const fd = openTap(libc, namespace, tap);
  try {
    libc.ioctlNumber(fd, TUNSETPERSIST, 1);
  } finally {
    libc.close(fd);
  }
}

/**
 * Brings a tap up as a cable and no more: what the guest sends is for the switch. The namespace's own IP would otherwise hear
 * it too, answer ARP with the tap's address and route around the switch, its VLANs and its policies.
 */
export function bringUp(libc: Libc, namespace: NetworkNamespace, ifname: string): void {
  // No route leads back through a tap, so the strict reverse path filter lets no packet in (ip-sysctl: rp_filter).
  namespace.writeSetting(`ipv4/conf/${ifname}/rp_filter`, '1');
  namespace.writeSetting(`ipv4/conf/${ifname}/drop_unicast_in_l2_multicast`, '1');
  namespace.run(() => {
    const socket = libc.deviceSocket();
    try {
      const request = interfaceRequest(ifname, 0);
      libc.ioctl(socket, SIOCGIFFLAGS, request);
      request.writeUInt16LE(request.readUInt16LE(IFNAMSIZ) | IFF_UP | IFF_NOARP, IFNAMSIZ);
      libc.ioctl(socket, SIOCSIFFLAGS, request);
    } finally {
      libc.close(socket);
    }
  });
}

const tapFlags = ({ vnetHeader }: TapOptions) => IFF_TAP | IFF_NO_PI | (vnetHeader ? IFF_VNET_HDR : 0);

function interfaceRequest(ifname: string, flags: number): Buffer {
  const name = Buffer.from(ifname, 'latin1');
  if (name.length === 0 || name.length >= IFNAMSIZ) throw new RangeError(`not an interface name: ${ifname}`);
  const request = Buffer.alloc(IFREQ_BYTES);
  name.copy(request);
  request.writeUInt16LE(flags, IFNAMSIZ);
  return request;
}
