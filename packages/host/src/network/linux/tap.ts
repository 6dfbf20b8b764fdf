// TAP devices: the cable between a QEMU (which holds a descriptor) and the switch (which knows the device by its name).
import { flagsRequest } from './interface-request.ts';
import type { Libc } from './libc.ts';
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from './libc.ts';
import type { NetworkNamespace } from './network-namespace.ts';

// <linux/if_tun.h>
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;

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
      libc.ioctl(fd, TUNSETIFF, flagsRequest(tap.ifname, tapFlags(tap)));
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

const tapFlags = ({ vnetHeader }: TapOptions) => IFF_TAP | IFF_NO_PI | (vnetHeader ? IFF_VNET_HDR : 0);
