// A cloud-init NoCloud seed as text: meta-data, user-data and network-config version 2. Pure. What is written here is
// understood by cloud-init itself and by the demo guest.

export interface Seed {
  /** Changes when the guest is to take the seed as new. */
  readonly instanceId: string;
  readonly hostname: string;
  readonly sshAuthorizedKeys?: readonly string[];
  /** Password of the default user (in the demo guest: root) for consoles. */
  readonly password?: string;
  /** Shell commands, run once after the start. */
  readonly commands?: readonly string[];
  /** Interfaces that are not named here use DHCP. */
  readonly network?: readonly SeedInterface[];
}

export interface SeedInterface {
  readonly macAddress: string;
  /** With prefix length, e.g. `192.0.2.10/24`; none = DHCP. */
  readonly addresses?: readonly string[];
  readonly gateway?: string;
  readonly nameservers?: readonly string[];
}

/** The files of the seed volume by name. Throws `RangeError` on text that cannot be one line. */
export function formatSeed(seed: Seed): Readonly<Record<string, string>> {
  const files: Record<string, string> = {
    'meta-data': `instance-id: ${quote(seed.instanceId)}\nlocal-hostname: ${quote(seed.hostname)}\n`,
    'user-data': formatUserData(seed),
  };
  if (seed.network !== undefined) files['network-config'] = formatNetwork(seed.network);
  return files;
}

function formatUserData(seed: Seed): string {
  const lines = ['#cloud-config', `hostname: ${quote(seed.hostname)}`];
  if (seed.password !== undefined) {
    lines.push(`password: ${quote(seed.password)}`, 'chpasswd:', '  expire: false');
  }
  lines.push(...formatList('ssh_authorized_keys', seed.sshAuthorizedKeys, ''));
  lines.push(...formatList('runcmd', seed.commands, ''));
  return `${lines.join('\n')}\n`;
}

function formatNetwork(interfaces: readonly SeedInterface[]): string {
  const lines = ['version: 2', 'ethernets:'];
  for (const [index, nic] of interfaces.entries()) {
    lines.push(`  nic${index}:`, '    match:', `      macaddress: ${quote(nic.macAddress.toLowerCase())}`);
    if (nic.addresses === undefined || nic.addresses.length === 0) lines.push('    dhcp4: true');
    lines.push(...formatList('addresses', nic.addresses, '    '));
    if (nic.gateway !== undefined)
      lines.push('    routes:', '      - to: default', `        via: ${quote(nic.gateway)}`);
    if (nic.nameservers !== undefined && nic.nameservers.length > 0) {
      lines.push('    nameservers:', ...formatList('addresses', nic.nameservers, '      '));
    }
  }
  return `${lines.join('\n')}\n`;
}

function formatList(key: string, values: readonly string[] | undefined, indent: string): string[] {
  if (values === undefined || values.length === 0) return [];
  return [`${indent}${key}:`, ...values.map((value) => `${indent}  - ${quote(value)}`)];
}

/** A single-quoted YAML scalar: nothing in it has a meaning except the quote itself. */
function quote(value: string): string {
  // Control characters cannot stand in a one-line scalar.
  if (/\p{Cc}/u.test(value)) throw new RangeError('seed texts are single lines');
  return `'${value.replaceAll("'", "''")}'`;
}
