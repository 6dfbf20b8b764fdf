// What a guest says of itself, through its agent. Everything is parsed: of wrong type = left out, too long = cut, too many = cut.
import { isIP } from 'node:net';
import type { GuestAgent } from './guest-agent.ts';

const MOST_INTERFACES = 128;
const MOST_ADDRESSES = 64;
const MOST_FILE_SYSTEMS = 128;
const LONGEST_TEXT = 255;

export interface GuestInterface {
  readonly name: string;
  /** Lower case, with colons. */
  readonly mac?: string;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number }[];
}

export interface GuestFileSystem {
  readonly mountPoint: string;
  /** e.g. `ext4` */
  readonly type?: string;
  readonly capacityBytes: number;
  readonly freeBytes: number;
}

export interface GuestOs {
  /** e.g. `debian`, `mswindows` */
  readonly id?: string;
  readonly name?: string;
  readonly prettyName?: string;
  readonly version?: string;
  readonly versionId?: string;
  readonly kernelRelease?: string;
  readonly kernelVersion?: string;
  readonly machine?: string;
}

export interface AgentInfo {
  readonly version: string;
  /** Names of the commands that the agent obeys. */
  readonly commands: readonly string[];
}

/** Resolves when the agent answers. */
export async function ping(agent: GuestAgent, timeoutMs?: number): Promise<void> {
  await agent.execute('guest-ping', undefined, timeoutMs);
}

export async function agentInfo(agent: GuestAgent): Promise<AgentInfo> {
  const reply = fields(await agent.execute('guest-info'));
  const commands = list(reply['supported_commands'], 1000).flatMap((command) => {
    const name = text(fields(command)['name']);
    return name !== undefined && fields(command)['enabled'] === true ? [name] : [];
  });
  return { version: text(reply['version']) ?? '', commands };
}

export async function networkInterfaces(agent: GuestAgent): Promise<GuestInterface[]> {
  return parseInterfaces(await agent.execute('guest-network-get-interfaces'));
}

export function parseInterfaces(reply: unknown): GuestInterface[] {
  return list(reply, MOST_INTERFACES).flatMap((item) => {
    const entry = fields(item);
    const name = text(entry['name']);
    if (name === undefined) return [];
    const mac = parseMac(entry['hardware-address']);
    const addresses = list(entry['ip-addresses'], MOST_ADDRESSES).flatMap(parseAddress);
    return [{ name, addresses, ...(mac === undefined ? {} : { mac }) }];
  });
}

function parseMac(value: unknown): string | undefined {
  const mac = text(value)?.toLowerCase();
  return mac !== undefined && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) ? mac : undefined;
}

function parseAddress(value: unknown): { address: string; prefixLength: number }[] {
  const entry = fields(value);
  const address = text(entry['ip-address']) ?? '';
  const longest = { 4: 32, 6: 128 }[isIP(address)];
  const prefix = entry['prefix'];
  if (longest === undefined || typeof prefix !== 'number' || !Number.isInteger(prefix)) return [];
  return prefix < 0 || prefix > longest ? [] : [{ address, prefixLength: prefix }];
}

export async function fileSystems(agent: GuestAgent): Promise<GuestFileSystem[]> {
  return parseFileSystems(await agent.execute('guest-get-fsinfo'));
}

/** Those on disks, whose size the agent tells. */
export function parseFileSystems(reply: unknown): GuestFileSystem[] {
  return list(reply, MOST_FILE_SYSTEMS).flatMap((item) => {
    const entry = fields(item);
    const mountPoint = text(entry['mountpoint']);
    const type = text(entry['type']);
    const [total, used] = [count(entry['total-bytes']), count(entry['used-bytes'])];
    if (mountPoint === undefined || total === undefined || used === undefined || used > total) return [];
    return [{ mountPoint, capacityBytes: total, freeBytes: total - used, ...(type === undefined ? {} : { type }) }];
  });
}

export async function hostName(agent: GuestAgent): Promise<string | undefined> {
  return text(fields(await agent.execute('guest-get-host-name'))['host-name']);
}

export async function osInfo(agent: GuestAgent): Promise<GuestOs> {
  return parseOsInfo(await agent.execute('guest-get-osinfo'));
}

export function parseOsInfo(reply: unknown): GuestOs {
  const entry = fields(reply);
  const names = {
    ...{ id: 'id', name: 'name', prettyName: 'pretty-name', version: 'version', versionId: 'version-id' },
    ...{ kernelRelease: 'kernel-release', kernelVersion: 'kernel-version', machine: 'machine' },
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([property, name]) => {
      const value = text(entry[name]);
      return value === undefined ? [] : [[property, value]];
    }),
  );
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown, most: number): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

// Without control characters: names of a guest end up in logs, in XML and on terminals.
function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value
    .replaceAll(/\p{Cc}/gu, '')
    .slice(0, LONGEST_TEXT)
    .toWellFormed();
  return clean === '' ? undefined : clean;
}
