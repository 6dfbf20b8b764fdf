// The kernel's IPv4 main routing table as /proc/net/route shows it (proc(5)). Pure.
import type { Subnet } from '../services/subnet.ts';

export interface Route {
  readonly device: string;
  readonly destination: Subnet;
  /** Absent for networks that the device is on itself. */
  readonly gateway?: string;
  readonly metric: number;
}

/** Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses as hexadecimal numbers in the machine's byte order. */
export function parseRouteTable(text: string): Route[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device, destination, gateway, , , , metric, mask] = line.trim().split(/\s+/);
      if (!device || !destination || !gateway || !mask) return [];
      const hop = addressFromHex(gateway);
      return {
        device,
        destination: { base: numberOf(addressFromHex(destination)), prefixLength: prefixOf(addressFromHex(mask)) },
        ...(hop === '0.0.0.0' ? {} : { gateway: hop }),
        metric: Number(metric),
      };
    });
}

/** The default route that is used: the one with the lowest metric. */
export function defaultRoute(routes: readonly Route[]): Route | undefined {
  return routes.filter(({ destination }) => destination.prefixLength === 0).toSorted((a, b) => a.metric - b.metric)[0];
}

// Every machine that this runs on is little-endian: the first octet is the last byte written.
function addressFromHex(hex: string): string {
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.');
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function prefixOf(mask: string): number {
  return numberOf(mask).toString(2).replaceAll('0', '').length;
}
