// What a host has on the machine outside its state directory, and every process that belongs to it: found by looking, not by
// asking the host. Names are those of packages/host (host-identity.ts, instanceName in hostd.ts): a test that expects
// nothing to be left first proves that something was there.
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { openRuntimeRoot } from '@vivarium/qemu';
import { run } from './run.ts';

export interface MachineTraces {
  /** `pid command line` of each process that has the state directory in its command line or mounted. */
  readonly processes: readonly string[];
  readonly namespaces: readonly string[];
  /** Network devices on the machine; taps are inside the namespace: see `tapNames`. */
  readonly devices: readonly string[];
  readonly controlGroups: readonly string[];
  readonly nftTables: readonly string[];
  readonly mounts: readonly string[];
}

export async function machineTraces(hostDir: string): Promise<MachineTraces> {
  const name = networkName(hostDir);
  const instance = hostDir
    .replace(/[^A-Za-z0-9]+/g, '-')
    .slice(-60)
    .replace(/^-|-$/g, '');
  const isOurs = (text: string) => text.includes(hostDir) || text.includes(name);
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').filter(isOurs);
  return {
    processes: (await listProcesses(hostDir)).map(({ pid, command }) => `${pid} ${command.slice(0, 200)}`),
    namespaces: (await readdir('/run/netns').catch(() => [])).filter(isOurs),
    devices: (await readdir('/sys/class/net')).filter(isOurs),
    controlGroups: await listControlGroups(instance),
    nftTables: (await listNftTables(hostDir)).filter(isOurs),
    mounts,
  };
}

/** Name of a host's network namespace, cable and rules. */
export function networkName(hostDir: string): string {
  return `viv-${createHash('sha256').update(hostDir).digest('hex').slice(0, 8)}`;
}

export interface MachineProcess {
  readonly pid: number;
  readonly command: string;
}

export async function listProcesses(hostDir: string): Promise<MachineProcess[]> {
  const found: MachineProcess[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const command = (await read('cmdline')).replaceAll('\0', ' ').trim();
    // A jailed VMM has nothing of the path in its command line, but sees its folder by a bind mount.
    if (command !== '' && (command.includes(hostDir) || (await read('mountinfo')).includes(`${hostDir}/`))) {
      found.push({ pid, command });
    }
  }
  return found;
}

/** The QEMU processes of a host, without the launchers around them. */
export async function listQemus(hostDir: string): Promise<number[]> {
  const found: number[] = [];
  for (const { pid } of await listProcesses(hostDir)) {
    const program = await readlink(`/proc/${pid}/exe`).catch(() => '');
    if (program.endsWith('/qemu-system-x86_64')) found.push(pid);
  }
  return found.sort((a, b) => a - b);
}

/** Taps in the host's network namespace. */
export async function tapNames(hostDir: string): Promise<string[]> {
  const { code, stdout } = await run('ip', ['-netns', networkName(hostDir), '-oneline', 'tuntap', 'list']);
  if (code !== 0) return [];
  // The switch's own ports are taps too.
  const names = stdout.split('\n').map((line) => line.slice(0, line.indexOf(':')));
  return names.filter((name) => name.startsWith('tap')).sort();
}

async function listControlGroups(instance: string): Promise<string[]> {
  const root = '/sys/fs/cgroup';
  const folders = [root, ...(await readdir(root)).map((name) => join(root, name))].map((path) =>
    join(path, 'vivarium', instance),
  );
  const found = await Promise.all(
    folders.map(async (folder) => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
      return entries.flatMap((entry) => (entry.isDirectory() ? [join(entry.parentPath, entry.name)] : []));
    }),
  );
  return found.flat();
}

async function listNftTables(hostDir: string): Promise<string[]> {
  const { runtimePath } = JSON.parse(await readFile(join(hostDir, 'hostd.json'), 'utf8')) as { runtimePath: string };
  const runtime = await openRuntimeRoot(runtimePath);
  if (!runtime) throw new Error(`no runtime at ${runtimePath}`);
  const { file, args } = runtime.command('nft', ['list', 'tables']);
  const { code, stdout, stderr } = await run(file, args);
  if (code !== 0) throw new Error(`nft list tables: ${stderr}`);
  return stdout.split('\n');
}
