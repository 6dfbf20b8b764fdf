// The jail's command line, as data: which command starts a program of the runtime root with nothing around it but what it
// needs. Pure; the effects are in tool.ts (short-lived tools) and launch.ts (VMMs).
//
// As root, bubblewrap makes the namespaces and mounts with root's own rights, so that folders need not be open to other users
// and no user namespace is needed (many machines forbid them); only then setpriv, out of the runtime root, gives up uid and
// capabilities. A user without rights gets the same walls through a user namespace, but keeps its own uid.

export interface Bind {
  /** Absolute path on the host. It must not be changeable by a jailed program: bubblewrap follows symbolic links in it. */
  readonly host: string;
  /** Absolute path in the jail; in jail mode `none` it has to equal `host`. */
  readonly inside: string;
  readonly writable: boolean;
}

/** `full` = root's jail with a uid of its own; `user` = the same walls under the caller's uid; `none` = no walls. */
export type JailMode = 'full' | 'user' | 'none';

export interface Jail {
  readonly mode: JailMode;
  /** The runtime root's path on the host. */
  readonly runtimePath: string;
  /** Only in mode `full`: the uid, also used as gid, that the program runs under. Never 0. */
  readonly uid: number;
  /** Only in mode `full`: supplementary groups, e.g. the one that /dev/kvm belongs to. */
  readonly groups?: readonly number[];
  readonly binds: readonly Bind[];
  /** Device nodes beside null, zero, full, random, urandom and tty, e.g. `/dev/kvm`. */
  readonly devices: readonly string[];
  /** Working directory in the jail. */
  readonly workFolder: string;
  /** `none`: not even a loopback that anybody else hears. `host`: the starter's network, for user-mode networking. */
  readonly network: 'none' | 'host';
  /** `die` = ends with the process that started it; `outlive` = goes on. */
  readonly whenStarterEnds: 'die' | 'outlive';
  /** Descriptors through which bubblewrap tells the program's pid (JSON, `child-pid`) and waits for a byte before it goes on. */
  readonly control?: { readonly infoFd: number; readonly blockFd: number };
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** The command that runs `program` (absolute path in the runtime root) with `args` in the jail. Throws on a jail that is none. */
export function jailCommand(jail: Jail, program: string, args: readonly string[]): Command {
  for (const bind of jail.binds) requireAbsolute(bind.host, bind.inside);
  requireAbsolute(jail.runtimePath, jail.workFolder, program);
  if (jail.mode === 'none') return plainCommand(jail, program, args);
  return throughLinker(jail.runtimePath, '/usr/bin/bwrap', [
    ...(jail.mode === 'full' ? rootNamespaces(jail) : userNamespaces(jail)),
    ...lifetime(jail),
    ...environment(),
    ...parentFolders(jail),
    ...rootFileSystem(jail),
    ...jail.devices.flatMap((node) => ['--dev-bind', node, node]),
    ...jail.binds.flatMap((bind) => [bind.writable ? '--bind' : '--ro-bind', bind.host, bind.inside]),
    '--remount-ro',
    '/',
    '--chdir',
    jail.workFolder,
    '--',
    ...(jail.mode === 'full' ? dropPrivileges(jail) : []),
    program,
    ...args,
  ]);
}

// Root's way leaves out the user namespace. The three capabilities are what setpriv needs to give up everything, those included.
function rootNamespaces({ network }: Jail): string[] {
  const kept = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((capability) => ['--cap-add', capability]);
  const namespaces = ['pid', 'ipc', 'uts', ...(network === 'none' ? ['net'] : [])].map((name) => `--unshare-${name}`);
  return [...namespaces, '--unshare-cgroup-try', '--cap-drop', 'ALL', ...kept];
}

function userNamespaces({ network }: Jail): string[] {
  return ['--unshare-all', ...(network === 'host' ? ['--share-net'] : [])];
}

// No --new-session: the starter makes the session (`detached`), so that bubblewrap and the program are one process group, which
// can be killed as one. Killing bubblewrap alone leaves a program that has not yet asked to die with it.
// Changing uid clears the kernel's parent-death signal, so a dying tool needs bubblewrap's own process 1 to pass death on; a
// VMM is process 1 itself, which saves a process per VM and hides bubblewrap's command line (host paths) from it.
function lifetime({ whenStarterEnds, control }: Jail): string[] {
  return [
    ...(whenStarterEnds === 'die' ? ['--die-with-parent'] : ['--as-pid-1']),
    ...(control ? ['--info-fd', String(control.infoFd), '--block-fd', String(control.blockFd)] : []),
  ];
}

function environment(): string[] {
  return ['--clearenv', '--setenv', 'PATH', '/usr/bin:/bin', '--setenv', 'LANG', 'C.UTF-8', '--hostname', 'jail'];
}

// Folders above mount points; bubblewrap would make them for root alone.
function parentFolders({ binds }: Jail): string[] {
  const parents = new Set(['/etc']);
  for (const { inside } of binds) {
    for (let end = inside.lastIndexOf('/'); end > 0; end = inside.lastIndexOf('/', end - 1))
      parents.add(inside.slice(0, end));
  }
  return [...parents].toSorted().flatMap((folder) => ['--perms', '0755', '--dir', folder]);
}

// The root is an empty tmpfs into which the runtime's parts are mounted, so that mount points can be made freely.
function rootFileSystem({ runtimePath, network }: Jail): string[] {
  return [
    ...['--ro-bind', `${runtimePath}/usr`, '/usr'],
    ...['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...['ld.so.cache', 'ld.so.conf.d', 'alternatives'].flatMap((name) => [
      '--ro-bind-try',
      `${runtimePath}/etc/${name}`,
      `/etc/${name}`,
    ]),
    // User-mode networking answers the guest's DNS questions with the host's servers.
    ...(network === 'host' ? ['--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf'] : []),
    ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--tmpfs', '/tmp'],
  ];
}

function dropPrivileges({ uid, groups = [] }: Jail): string[] {
  if (!Number.isInteger(uid) || uid < 1) throw new RangeError(`not an unprivileged uid: ${uid}`);
  return [
    ...['/usr/bin/setpriv', '--reuid', String(uid), '--regid', String(uid)],
    ...(groups.length === 0 ? ['--clear-groups'] : ['--groups', groups.join(',')]),
    ...['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--'],
  ];
}

// Without namespaces the runtime's programs still run where they are.
function plainCommand(jail: Jail, program: string, args: readonly string[]): Command {
  const moved = jail.binds.find((bind) => bind.host !== bind.inside);
  if (moved) throw new RangeError(`without a jail ${moved.host} cannot appear as ${moved.inside}`);
  return throughLinker(jail.runtimePath, program, args);
}

// A program of the runtime root on the host's file system: with the root's own dynamic linker and libraries.
function throughLinker(root: string, program: string, args: readonly string[]): Command {
  const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib'].map((path) => `${root}/${path}`).join(':');
  return {
    file: `${root}/usr/lib64/ld-linux-x86-64.so.2`,
    args: ['--library-path', libraries, '--argv0', program, `${root}${program}`, ...args],
  };
}

function requireAbsolute(...paths: readonly string[]): void {
  for (const path of paths) {
    if (!path.startsWith('/') || path.includes('\0'))
      throw new RangeError(`not an absolute path: ${JSON.stringify(path)}`);
  }
}
