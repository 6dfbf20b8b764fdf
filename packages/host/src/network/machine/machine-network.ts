// What the machine itself has of networks: devices, addresses, routes, name servers. Only reads, and needs no rights.
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { basename } from 'node:path';
import { RESOLVER_FILES, usableResolvers } from '../services/resolvers.ts';
import { parseSubnet, type Subnet } from '../services/subnet.ts';
import { defaultRoute, parseRouteTable, type Route } from './route-table.ts';

export interface MachineAddress {
  readonly device: string;
  readonly mac: string;
  readonly address: string;
  readonly netmask: string;
  readonly prefixLength: number;
  readonly subnet: Subnet;
}

export interface PhysicalDevice {
  readonly device: string;
  readonly mac: string;
  readonly driver: string;
  /** Address on its bus: `0000:01:00.0`, `virtio0`. */
  readonly busAddress: string;
  /** Absent while there is no link, or the driver does not know. */
  readonly speedMbps?: number;
  readonly isFullDuplex: boolean;
  readonly mtu: number;
}

export interface MachineNetwork {
  readonly hostName: string;
  readonly domainName: string;
  /** IPv4 addresses, those of the loopback device left out. */
  readonly addresses: readonly MachineAddress[];
  readonly routes: readonly Route[];
  readonly physical: readonly PhysicalDevice[];
  /** Name servers that guests can be sent to; may be empty. */
  readonly resolvers: readonly string[];
  readonly searchDomains: readonly string[];
}

export function readMachineNetwork(): MachineNetwork {
  const [hostName = '', ...domain] = hostname().split('.');
  const texts = RESOLVER_FILES.map((path) => readOr(path, ''));
  const search = /^[ \t]*(?:search|domain)[ \t]+(.+)$/m.exec(texts[0] ?? '');
  return {
    hostName,
    domainName: domain.join('.'),
    addresses: readAddresses(),
    routes: parseRouteTable(readOr('/proc/net/route', '')),
    physical: readPhysicalDevices(),
    resolvers: usableResolvers(texts),
    searchDomains: search?.[1]?.trim().split(/\s+/) ?? [],
  };
}

/** The address that the machine is best reached at: on the way to everywhere else. */
export function mainAddress(machine: MachineNetwork): MachineAddress | undefined {
  const device = defaultRoute(machine.routes)?.device;
  return machine.addresses.find((address) => address.device === device) ?? machine.addresses[0];
}

function readAddresses(): MachineAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([device, entries = []]) =>
    entries.flatMap(({ family, internal, cidr, mac, address, netmask }) => {
      const subnet = family === 'IPv4' && !internal && cidr !== null ? parseSubnet(cidr) : undefined;
      return subnet ? { device, mac, address, netmask, prefixLength: subnet.prefixLength, subnet } : [];
    }),
  );
}

// A device that hangs on a bus has a link `device`; bridges, tunnels and veths have none.
function readPhysicalDevices(): PhysicalDevice[] {
  const root = '/sys/class/net';
  return listOr(root)
    .sort()
    .flatMap((device) => {
      const folder = `${root}/${device}`;
      const bus = orUndefined(() => realpathSync(`${folder}/device`));
      if (bus === undefined) return [];
      const speed = Number(readOr(`${folder}/speed`, '-1'));
      return {
        device,
        mac: readOr(`${folder}/address`, '00:00:00:00:00:00').trim(),
        driver: basename(orUndefined(() => readlinkSync(`${folder}/device/driver`)) ?? ''),
        busAddress: basename(bus),
        ...(speed > 0 ? { speedMbps: speed } : {}),
        isFullDuplex: readOr(`${folder}/duplex`, 'full').trim() !== 'half',
        mtu: Number(readOr(`${folder}/mtu`, '1500')),
      };
    });
}

function listOr(folder: string): string[] {
  return orUndefined(() => readdirSync(folder)) ?? [];
}

function readOr(path: string, otherwise: string): string {
  return orUndefined(() => readFileSync(path, 'utf8')) ?? otherwise;
}

// sysfs answers EINVAL for what a device cannot say.
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
