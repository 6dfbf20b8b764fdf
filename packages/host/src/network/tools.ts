// Programs of the runtime root that work on the machine's network (ip, nft, OVS, dnsmasq). They see the runtime's files and
// the network's state folder, nothing else of the machine, and keep only the rights that network work needs.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { invariant } from '@vivarium/base';
import type { RuntimeRoot } from '@vivarium/qemu';
import type { NetworkNamespace } from './linux/network-namespace.ts';
import { NetworkError } from './provider.ts';

export interface ToolOptions {
  /** Folders that the program may write to, visible at their own path. */
  readonly folders?: readonly string[];
  /** Folders that the program may read, visible at their own path. */
  readonly readable?: readonly string[];
  /** Device nodes, e.g. `/dev/net/tun`. */
  readonly devices?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends with the process that started it. */
  readonly isShortLived?: boolean;
  /** Capabilities beside those for network work, e.g. `CAP_SETUID`. */
  readonly capabilities?: readonly string[];
}

export interface Tools {
  /**
   * The command that runs `program` (absolute path in the runtime root), which sees itself under that path. The process that
   * is started may be a launcher that stays as the program's parent, ends with it and passes its exit code on.
   */
  command(
    program: string,
    args: readonly string[],
    options?: ToolOptions,
  ): { readonly file: string; readonly args: readonly string[] };
}

/** Tools out of a runtime root, through its bubblewrap. Root's: without new namespaces but the mounts'. */
export function runtimeTools(runtime: Pick<RuntimeRoot, 'path' | 'direct'>): Tools {
  return {
    command: (program, args, options = {}) =>
      runtime.direct('/usr/bin/bwrap', [
        ...['--new-session', '--clearenv', '--setenv', 'PATH', '/usr/sbin:/usr/bin', '--setenv', 'LANG', 'C.UTF-8'],
        ...(options.isShortLived ? ['--die-with-parent'] : []),
        ...Object.entries(options.environment ?? {}).flatMap(([name, value]) => ['--setenv', name, value]),
        ...['--ro-bind', `${runtime.path}/usr`, '/usr', '--ro-bind', `${runtime.path}/etc`, '/etc'],
        ...['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
        ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
        ...(options.devices ?? []).flatMap((node) => ['--dev-bind', node, node]),
        ...ancestors([...(options.readable ?? []), ...(options.folders ?? [])]).flatMap((path) => [
          '--perms',
          '0755',
          '--dir',
          path,
        ]),
        ...(options.readable ?? []).flatMap((folder) => ['--ro-bind', folder, folder]),
        ...(options.folders ?? []).flatMap((folder) => ['--bind', folder, folder]),
        ...['--remount-ro', '/', '--chdir', '/', '--cap-drop', 'ALL'],
        ...[...NETWORK_CAPABILITIES, ...(options.capabilities ?? [])].flatMap((name) => ['--cap-add', name]),
        ...['--', program, ...args],
      ]),
  };
}

// bubblewrap would make them for root alone, and a daemon that gives up root could not go through them.
function ancestors(folders: readonly string[]): string[] {
  const paths = folders.flatMap((folder) => {
    const names = folder.split('/').slice(1, -1);
    return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
  });
  return [...new Set(paths)];
}

const NETWORK_CAPABILITIES = ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_NET_BIND_SERVICE'];

/** A tool ended with another exit code than 0. */
export class ToolFailure extends NetworkError {
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(message: string, exitCode: number | undefined, stderr: string) {
    super(message);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

export interface ToolRun extends ToolOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Absent = in the machine's own network. */
  readonly namespace?: NetworkNamespace;
  readonly stdin?: string;
  /** Given to the tool as its descriptor 3. */
  readonly descriptor?: number;
  /** Absent = 20 s: these tools answer in milliseconds, or hang on a dead daemon. */
  readonly timeoutMs?: number;
}

/** Runs a tool to its end and returns its standard output. Rejects with a ToolFailure. */
export async function runTool(tools: Tools, run: ToolRun): Promise<string> {
  const command = tools.command(run.program, run.args, { ...run, isShortLived: true });
  const timeoutMs = run.timeoutMs ?? 20_000;
  const start = () =>
    spawn(command.file, command.args, {
      stdio: ['pipe', 'pipe', 'pipe', run.descriptor ?? 'ignore'],
      env: {},
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
  const child = run.namespace ? run.namespace.run(start) : start();
  invariant(child.stdin && child.stdout && child.stderr, 'asked for pipes');
  child.stdin.on('error', () => undefined); // a tool need not read its input (EPIPE)
  child.stdin.end(run.stdin ?? '');
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [exitCode, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (exitCode === 0) return stdout;
  const said = stderr.trim().slice(-2000) || `nothing on standard error, signal ${child.signalCode ?? 'none'}`;
  const subject = [run.program.slice(run.program.lastIndexOf('/') + 1), ...run.args.slice(0, 3)].join(' ');
  throw new ToolFailure(
    `${subject} ended with ${exitCode ?? `${child.signalCode} (limit ${timeoutMs} ms)`}: ${said}`,
    exitCode ?? undefined,
    stderr,
  );
}
