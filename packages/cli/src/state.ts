// Where the command line keeps and finds things, and what it knows of a host's instance there.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { writeDurable } from '@vivarium/base/node';

export const isRoot = process.getuid?.() === 0;

/** Default state directory: /var/lib/vivarium as root, else ~/.local/share/vivarium. */
export function defaultStateDir(): string {
  return isRoot
    ? '/var/lib/vivarium'
    : join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'), 'vivarium');
}

/** The folder and those above it that are missing. Throws UserError. */
export async function makeStateDir(stateDir: string): Promise<void> {
  const missing: string[] = [];
  // Not mkdir's own recursion: it never ends where no folder can be made (below /proc).
  for (let at = resolve(stateDir); !existsSync(at); at = dirname(at)) missing.unshift(at);
  try {
    for (const path of missing) {
      await mkdir(path, { mode: 0o711 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error; // somebody was faster
      });
    }
    if ((await stat(stateDir)).isDirectory()) return;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UserError(`the folder ${stateDir} cannot be made (${code})`, 'give another --state-dir', { cause });
  }
  throw new UserError(`${stateDir} is no folder`, 'give another --state-dir');
}

/** Downloads and builds that every state directory shares. */
export function cacheDir(): string {
  const chosen = process.env['VIVARIUM_CACHE'];
  if (chosen) return resolve(chosen);
  return isRoot ? '/var/cache/vivarium' : join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'vivarium');
}

/** One daemon's instance below a state directory. */
export interface Instance {
  readonly name: string;
  readonly kind: 'hostd' | 'vpxd';
  readonly stateDir: string;
}

export interface Credentials {
  readonly userName: string;
  readonly password: string;
}

const CREDENTIALS = 'credentials.json';

/** The administrator's credentials of an instance: made once, at random, readable by the owner alone. */
export async function ensureCredentials(instance: Instance): Promise<Credentials> {
  const found = await findCredentials(instance);
  if (found) return found;
  await mkdir(instance.stateDir, { recursive: true, mode: 0o711 });
  const made = { userName: 'root', password: newPassword() };
  await writeDurable(join(instance.stateDir, CREDENTIALS), JSON.stringify(made), 0o600);
  return made;
}

export async function findCredentials(instance: Instance): Promise<Credentials | undefined> {
  const text = await readText(join(instance.stateDir, CREDENTIALS));
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { userName, password } = value as Partial<Credentials>;
  return typeof userName === 'string' && typeof password === 'string' ? { userName, password } : undefined;
}

/** 20 characters that no shell or URL treats specially: 100 bits and more. */
function newPassword(): string {
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
  const limit = 256 - (256 % alphabet.length);
  let password = '';
  while (password.length < 20) {
    for (const byte of randomBytes(32)) {
      if (byte < limit && password.length < 20) password += alphabet[byte % alphabet.length];
    }
  }
  return password;
}

export interface RunningHost {
  readonly pid: number;
  readonly port: number;
  /** Where this machine reaches it. */
  readonly address: string;
  /** Of a vCenter that shares its store with others. */
  readonly standsBy: boolean;
}

interface ReadyFile {
  readonly pid: number;
  readonly port: number;
  /** What it listens on. */
  readonly address: string;
  readonly startTime: string;
  readonly role?: 'leader' | 'standby';
}

/** The daemon of an instance, if its process lives. */
export async function findRunning(instance: Instance): Promise<RunningHost | undefined> {
  const text = await readText(join(instance.stateDir, `${instance.kind}.pid`));
  if (text === undefined) return undefined;
  const { pid, port, address, startTime, role } = JSON.parse(text) as ReadyFile;
  const stat = await readText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  // A zombie that nobody has waited for is as dead as none.
  const isAlive = fields[0] !== undefined && !'ZXx'.includes(fields[0]) && fields[19] === startTime;
  if (!isAlive) return undefined;
  return { pid, port, address: address === '0.0.0.0' ? '127.0.0.1' : address, standsBy: role === 'standby' };
}

/** Whether guests and switch of a host may still run although its daemon does not: it was killed, or stopped before them. */
export async function isHeadless(instance: Instance): Promise<boolean> {
  if (instance.kind !== 'hostd' || (await findRunning(instance))) return false;
  const text = await readText(join(instance.stateDir, 'hostd.pid'));
  if (text === undefined) return false;
  const { boot } = JSON.parse(text) as { boot?: string };
  return boot === (await readText('/proc/sys/kernel/random/boot_id'))?.trim();
}

export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EACCES')
      throw new UserError(`${path} is not readable for you`, 'run this as the user that started the host, or as root');
    throw error;
  }
}

/** What a person can do something about: printed as one sentence with its mend, without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly mend: string;

  constructor(message: string, mend: string, options?: ErrorOptions) {
    super(message, options);
    this.mend = mend;
  }
}
