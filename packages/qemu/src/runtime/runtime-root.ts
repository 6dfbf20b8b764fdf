// A finished runtime root: a read-only tree with QEMU and the other programs that a host runs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface RuntimeRoot {
  /** Absolute path of the tree. Readable by every uid; nothing may write to it. */
  readonly path: string;
  /** QEMU's version, e.g. `11.1.3`. */
  readonly version: string;
  /**
   * How to start a program of the root for a service that needs the host: it sees the root's /usr and /etc, the host's
   * /proc, /sys, /dev and /run/netns, and `binds`, in a mount namespace of its own; no other namespace, all of the
   * caller's capabilities, and it survives the caller. To run it in a network namespace put `nsenter --net=…` before it.
   * bwrap stays as its parent and passes on the exit status, not signals.
   */
  command(program: string, args: readonly string[], options?: CommandOptions): ProgramCommand;
  /**
   * The program itself, started through the root's own dynamic linker: no namespace, no bwrap, the host's file system,
   * and the process is the direct child. For programs that take all their paths as arguments, and for bwrap itself.
   */
  direct(program: string, args: readonly string[]): ProgramCommand;
}

export interface CommandOptions {
  /** Host paths seen at the same place, writable. They must exist. */
  readonly binds?: readonly string[];
  /** The same, read-only. */
  readonly readOnlyBinds?: readonly string[];
  readonly chdir?: string;
  /** `false` gives it an empty network namespace. Default: the caller's network. */
  readonly network?: boolean;
}

export interface ProgramCommand {
  readonly file: string;
  readonly args: readonly string[];
}

export const STAMP_FILE = 'vivarium-runtime.json';

/** Written into the tree last, before it gets its name: a tree with a stamp is whole. */
export interface RuntimeStamp {
  readonly recipe: string;
  readonly name: string;
  readonly qemuVersion: string;
  /** ISO-8601. */
  readonly built: string;
  /** Package name -> version. */
  readonly packages: Readonly<Record<string, string>>;
}

/** Opens the tree at `path`; `undefined` when it is not a whole runtime. */
export async function openRuntimeRoot(
  path: string,
): Promise<(RuntimeRoot & { readonly stamp: RuntimeStamp }) | undefined> {
  const stamp = await readStamp(path);
  return stamp === undefined ? undefined : { ...makeRuntimeRoot(path, stamp.qemuVersion), stamp };
}

async function readStamp(path: string): Promise<RuntimeStamp | undefined> {
  const text = await readFile(join(path, STAMP_FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return parseStamp(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function parseStamp(value: unknown): RuntimeStamp | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const stamp = value as Partial<RuntimeStamp>;
  const isWhole = [stamp.recipe, stamp.name, stamp.qemuVersion, stamp.built].every(
    (field) => typeof field === 'string',
  );
  return isWhole && typeof stamp.packages === 'object' ? (stamp as RuntimeStamp) : undefined;
}

export function makeRuntimeRoot(path: string, version: string): RuntimeRoot {
  return {
    path,
    version,
    command: (program, args, options = {}) =>
      directCommand(path, '/usr/bin/bwrap', [...commandArguments(path, options), '--', program, ...args]),
    direct: (program, args) => directCommand(path, program, args),
  };
}

function directCommand(root: string, program: string, args: readonly string[]): ProgramCommand {
  const libraries = ['/usr/lib/x86_64-linux-gnu', '/usr/lib'].map((folder) => join(root, folder)).join(':');
  const linker = join(root, '/usr/lib64/ld-linux-x86-64.so.2');
  return {
    file: linker,
    args: ['--library-path', libraries, '--argv0', program, join(root, findProgram(program)), ...args],
  };
}

// Debian's merged /usr: a bare name is looked for where its package puts it.
const SBIN = new Set(['ovs-vswitchd', 'ovsdb-server', 'dnsmasq', 'nft', 'ip', 'bridge', 'tc', 'mke2fs', 'mkfs.fat']);

function findProgram(program: string): string {
  if (program.startsWith('/')) return program;
  return SBIN.has(program) ? `/usr/sbin/${program}` : `/usr/bin/${program}`;
}

function commandArguments(root: string, options: CommandOptions): string[] {
  const same = (flag: string, paths: readonly string[]) => paths.flatMap((path) => [flag, path, path]);
  return [
    ...['--ro-bind', join(root, 'usr'), '/usr', '--ro-bind', join(root, 'etc'), '/etc'],
    ...['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...['--bind', '/proc', '/proc', '--bind', '/sys', '/sys', '--dev-bind', '/dev', '/dev', '--tmpfs', '/tmp'],
    ...[
      '--dir',
      '/run',
      '--dir',
      '/var/lib',
      '--symlink',
      '/run',
      '/var/run',
      '--bind-try',
      '/run/netns',
      '/run/netns',
    ],
    ...['--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf', '--ro-bind-try', '/etc/hosts', '/etc/hosts'],
    ...same('--ro-bind', options.readOnlyBinds ?? []),
    ...same('--bind', options.binds ?? []),
    ...(options.network === false ? ['--unshare-net'] : []),
    ...['--setenv', 'PATH', '/usr/sbin:/usr/bin', '--chdir', options.chdir ?? '/'],
  ];
}
