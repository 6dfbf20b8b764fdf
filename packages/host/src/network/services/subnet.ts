// IPv4 networks as numbers, and the choice of one that the machine does not use yet. Pure.

export interface Subnet {
  /** Lowest address as a 32-bit number. */
  readonly base: number;
  readonly prefixLength: number;
}

/** Parses `a.b.c.d/n`; undefined for anything else (IPv6 among it). Host bits are cleared. */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const prefixLength = match[5] === undefined ? 32 : Number(match[5]);
  if (octets.some((octet) => octet > 255) || prefixLength > 32) return undefined;
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return { base: address - (address % sizeOf(prefixLength)), prefixLength };
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.base)}/${subnet.prefixLength}`;
}

/** The address at `offset` from the subnet's lowest. */
export function addressAt(subnet: Subnet, offset: number): string {
  return formatAddress(subnet.base + offset);
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.base < b.base + sizeOf(b.prefixLength) && b.base < a.base + sizeOf(a.prefixLength);
}

/** The two networks of a host: the guests', and the one that joins it to the machine. */
export interface AddressPlan {
  /** /24: .1 is the host's gateway, DHCP and DNS; .10-.254 are given out. */
  readonly guests: Subnet;
  /** /30: .1 is the machine, .2 the host's namespace. */
  readonly link: Subnet;
}

/**
 * The plan to use: the former one as long as nobody else took it, else the first free one after `start` (0-255, another
 * one for each host of a machine, so that they do not run into each other). Undefined when all 256 are taken.
 */
export function chooseAddressPlan(
  taken: readonly Subnet[],
  start: number,
  former?: AddressPlan,
): AddressPlan | undefined {
  const isFree = ({ guests, link }: AddressPlan) =>
    taken.every((subnet) => !overlaps(subnet, guests) && !overlaps(subnet, link));
  if (former && isFree(former)) return former;
  for (let step = 0; step < 256; step++) {
    const plan = candidate((start + step) % 256);
    if (isFree(plan)) return plan;
  }
  return undefined;
}

// 10.86.0.0/16 and 10.87.0.0/16: private (RFC 1918), and away from what containers, libvirt and home routers choose.
function candidate(index: number): AddressPlan {
  const base = 10 * 2 ** 24 + index * 256;
  return {
    guests: { base: base + 86 * 2 ** 16, prefixLength: 24 },
    link: { base: base + 87 * 2 ** 16, prefixLength: 30 },
  };
}

function sizeOf(prefixLength: number): number {
  return 2 ** (32 - prefixLength);
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
