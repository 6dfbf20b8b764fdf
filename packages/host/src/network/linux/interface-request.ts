// struct ifreq: how the kernel is asked about a network device (netdevice(7)).
/** sizeof(struct ifreq): the name in 16 bytes, then what is asked. */
const IFREQ_BYTES = 40;
export const IFNAMSIZ = 16;

/** Throws RangeError for what cannot be a device's name. */
export function interfaceRequest(ifname: string): Buffer {
  const name = Buffer.from(ifname, 'latin1');
  if (name.length === 0 || name.length >= IFNAMSIZ) throw new RangeError(`not an interface name: ${ifname}`);
  const request = Buffer.alloc(IFREQ_BYTES);
  name.copy(request);
  return request;
}

export function flagsRequest(ifname: string, flags: number): Buffer {
  const request = interfaceRequest(ifname);
  request.writeUInt16LE(flags, IFNAMSIZ);
  return request;
}
