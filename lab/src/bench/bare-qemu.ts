// The bare side of a comparison: the QEMU command line of a running VMM, to be started again by hand. The same program, machine,
// devices, disk and cache mode; without hostd, without a jail, without the stop before the first instruction.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOk } from '../testing/run.ts';

const TAP = 'vivbench0';

export interface BareQemu extends AsyncDisposable {
  /** Starts it; returns how to end it. */
  start(): () => Promise<void>;
}

/** From the VMM of an unjailed VM: its files must be where its command line says. */
export async function bareQemu(hostDir: string, vm: string): Promise<BareQemu> {
  const folder = join(hostDir, 'run', vm);
  const record = JSON.parse(await readFile(join(folder, 'process.json'), 'utf8')) as { process: { pid: number } };
  const read = (file: string) => readFile(`/proc/${record.process.pid}/${file}`, 'utf8');
  const [file, ...args] = (await read('cmdline')).split('\0').slice(0, -1);
  const environment = (await read('environ')).split('\0').filter(Boolean);
  if (!file?.includes('ld-linux')) throw new Error(`this VMM is in a jail: ${file}`);
  await using undo = new AsyncDisposableStack();
  const sockets = await mkdtemp(join(tmpdir(), 'vivbare-'));
  undo.defer(() => rm(sockets, { recursive: true, force: true }));
  if (args.some(isTap)) {
    await runOk('ip', ['tuntap', 'add', 'dev', TAP, 'mode', 'tap']);
    undo.defer(() => runOk('ip', ['link', 'delete', TAP]).then(() => undefined));
    await runOk('ip', ['link', 'set', TAP, 'up']);
  }
  const bareArgs = args
    .filter((argument) => argument !== '-S')
    .map((argument) => ownTap(argument).replaceAll(join(folder, 'vmm'), sockets));
  const env = Object.fromEntries(
    environment.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  const kept = undo.move();
  return {
    start() {
      // Detached as hostd's are: the kernel shares the processors out by session (autogroup, sched(7)).
      const child = spawn(file, bareArgs, { stdio: ['ignore', 'ignore', 'inherit'], env, cwd: '/', detached: true });
      return () => end(child);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const isTap = (argument: string) => argument.startsWith('{"type":"tap"');

/** hostd passes an open tap; by hand it is QEMU that opens one. */
function ownTap(argument: string): string {
  if (!isTap(argument)) return argument;
  const { fd: _fd, ...netdev } = JSON.parse(argument) as Record<string, string>;
  return JSON.stringify({ ...netdev, ifname: TAP, script: 'no', downscript: 'no' });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error(`QEMU ended with ${child.exitCode}`);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
