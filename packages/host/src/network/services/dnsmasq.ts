// The guests' DHCP and DNS server as a command line. Pure.
import { type AddressPlan, addressAt } from './subnet.ts';

export interface DnsmasqFiles {
  readonly leases: string;
  /** A file per virtual NIC, `MAC,name`: read as they come (inotify). */
  readonly hostsFolder: string;
  /** resolv.conf(5) with the upstream servers; read again when it changes. */
  readonly resolvers: string;
}

export const DNSMASQ = '/usr/sbin/dnsmasq';
/** It gives up root when it has its sockets. As Debian's /etc/passwd has it; it must own the leases. */
export const DNSMASQ_USER = {
  name: 'nobody',
  group: 'nogroup',
  uid: 65_534,
  capabilities: ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP', 'CAP_DAC_OVERRIDE'],
} as const;
const LEASE_TIME = '12h';
/** For private use (ICANN resolution 2024.07.29.06); a guest is `NAME.viv.internal` to the others. */
export const GUEST_DOMAIN = 'viv.internal';

/** The argument that tells a host's dnsmasq from others. */
export function dnsmasqMarker(files: DnsmasqFiles): string {
  return `--dhcp-leasefile=${files.leases}`;
}

export function dnsmasqArguments(device: string, plan: AddressPlan, files: DnsmasqFiles): string[] {
  const gateway = addressAt(plan.guests, 1);
  return [
    ...[
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--log-facility=-',
      `--user=${DNSMASQ_USER.name}`,
      `--group=${DNSMASQ_USER.group}`,
      '--pid-file=',
    ],
    // The switch may take the device away and bring it back (its daemon was restarted).
    ...[`--interface=${device}`, '--except-interface=lo', '--bind-dynamic', '--no-hosts', '--no-ping'],
    ...[
      `--domain=${GUEST_DOMAIN}`,
      `--local=/${GUEST_DOMAIN}/`,
      '--domain-needed',
      '--bogus-priv',
      '--cache-size=1000',
    ],
    `--resolv-file=${files.resolvers}`,
    dnsmasqMarker(files),
    `--dhcp-hostsdir=${files.hostsFolder}`,
    `--dhcp-range=${addressAt(plan.guests, 10)},${addressAt(plan.guests, 254)},${LEASE_TIME}`,
    ...[`--dhcp-option=option:router,${gateway}`, `--dhcp-option=option:dns-server,${gateway}`, '--dhcp-authoritative'],
    ...['--dhcp-rapid-commit', '--quiet-dhcp', '--quiet-dhcp6', '--quiet-ra'],
  ];
}

/** The line of a hosts file: the NIC's guest is told this name, and answers to it. Undefined when no letter of it can be a name. */
export function hostsLine(mac: string, vmName: string): string | undefined {
  const label = vmName
    .normalize('NFKD')
    .replace(/\p{Mark}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return label === '' ? undefined : `${mac},${label}\n`;
}
