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
  readonly hasLink: boolean;
  /** Absent while there is no link, or the driver does not know. */
  readonly speedMbps?: number;
  readonly isFullDuplex: boolean;
  readonly mtu: number;
  /** Administratively up. */
  readonly isUp: boolean;
  /** What is built on it: the bridge or bond that it is a port of, its VLAN devices. */
  readonly usedBy: readonly string[];
}

export interface MachineNetwork {
  readonly hostName: string;
  readonly domainName: string;
  /** IPv4 addresses, those of the loopback device left out. */
  readonly addresses: readonly MachineAddress[];
  /** IPv6 addresses, but for those that every device gives itself. */
  readonly addresses6: readonly { readonly device: string; readonly address: string }[];
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
    ...readAddressing(),
    physical: readPhysicalDevices(),
    resolvers: usableResolvers(texts),
    searchDomains: search?.[1]?.trim().split(/\s+/) ?? [],
  };
}

/** Which devices the machine itself speaks by. */
export function readAddressing(): Pick<MachineNetwork, 'addresses' | 'addresses6' | 'routes'> {
  const routes = parseRouteTable(readOr('/proc/net/route', ''));
  return { addresses: readAddresses(), addresses6: readAddresses6(), routes };
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

function readAddresses6(): MachineNetwork['addresses6'] {
  return Object.entries(networkInterfaces()).flatMap(([device, entries = []]) =>
    entries.flatMap(({ family, internal, address, scopeid }) =>
      family === 'IPv6' && !internal && scopeid === 0 ? [{ device, address }] : [],
    ),
  );
}

/**
 * The devices that hang on a bus, and those that are `named`: bridges, tunnels and veths have no link `device`. In the order of
 * their names, numbers as numbers; the named ones last, in their own order.
 */
export function readPhysicalDevices(named: readonly string[] = []): PhysicalDevice[] {
  const root = '/sys/class/net';
  const onBus = listOr(root).filter((device) => isThere(`${root}/${device}/device`) && !named.includes(device));
  const inOrder = onBus.sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
  return [...inOrder, ...named].flatMap((device) => readDevice(device, `${root}/${device}`) ?? []);
}

function readDevice(device: string, folder: string): PhysicalDevice | undefined {
  const mac = readOr(`${folder}/address`, '').trim();
  if (mac === '') return undefined;
  const bus = orUndefined(() => realpathSync(`${folder}/device`));
  const speed = Number(readOr(`${folder}/speed`, '-1'));
  const IFF_UP = 1;
  const upper = listOr(folder).flatMap((name) => (name.startsWith('upper_') ? [name.slice('upper_'.length)] : []));
  return {
    device,
    mac,
    driver: basename(orUndefined(() => readlinkSync(`${folder}/device/driver`)) ?? ''),
    busAddress: busAddressOf(bus ?? ''),
    hasLink: readOr(`${folder}/carrier`, '0').trim() === '1',
    ...(speed > 0 ? { speedMbps: speed } : {}),
    isFullDuplex: readOr(`${folder}/duplex`, 'full').trim() !== 'half',
    mtu: Number(readOr(`${folder}/mtu`, '1500')),
    isUp: (Number(readOr(`${folder}/flags`, '0')) & IFF_UP) !== 0,
    usedBy: upper,
  };
}

/** The PCI address on the way to it, if there is one: virtio devices have a bus of their own below it. */
function busAddressOf(path: string): string {
  const isPci = (part: string) => /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(part);
  return path.split('/').findLast(isPci) ?? basename(path);
}

function isThere(path: string): boolean {
  return orUndefined(() => realpathSync(path)) !== undefined;
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
