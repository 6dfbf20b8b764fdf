// Starts a VMM in its jail and returns when its monitor answers. The VMM belongs to nobody: it outlives this process, and whoever
// knows its VmProcess and its run folder can take it over.

import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { type Clock, delay, type Logger, silentLogger } from '@vivarium/base';
import { runFiles } from '../machine/run-files.ts';
import { connectMonitor } from '../monitor/connect.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { Transcript } from '../monitor/transcript.ts';
import { type Bind, type Jail, type JailMode, jailCommand } from './jail.ts';
import { identifyProcess, killGroup, type VmProcess } from './process-identity.ts';

export interface LaunchSpec {
  readonly runtime: { readonly path: string };
  /** QEMU's arguments (`machineArguments`), made for the folders that `jailFolders` tells and for descriptors from `FIRST_FD` up. */
  readonly args: readonly string[];
  /** On the host: the VM's folder; the jail sees it as `/vm`, writable. */
  readonly vmFolder: string;
  /** On the host: the folder for sockets, owned by `uid`, not open to others; the jail sees it as `/run/vm`. */
  readonly runFolder: string;
  /** Further folders and files: images elsewhere. */
  readonly binds?: readonly Bind[];
  readonly jail: JailMode;
  /** Only in jail mode `full`: the VMM's own uid and gid. */
  readonly uid?: number;
  /** Open descriptors that the VMM gets as `FIRST_FD`, `FIRST_FD` + 1 …; the caller closes its own afterwards. */
  readonly fds: readonly number[];
  readonly accelerator: 'kvm' | 'tcg';
  /** User-mode networking needs the host's network. */
  readonly network: 'none' | 'host';
  /** What QEMU says is appended to this file. */
  readonly logFile: string;
  /** Puts the VMM's process into its control group. */
  readonly enterGroup?: (pid: number) => Promise<void>;
  readonly clock: Clock;
  readonly log?: Logger;
  readonly transcript?: Transcript;
  /** From start to monitor; absent = 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Launched {
  readonly process: VmProcess;
  readonly monitor: Monitor;
  /** Resolves when the VMM has ended, as long as this process lives to see it. */
  readonly ended: Promise<Exit>;
}

export interface Exit {
  /** bubblewrap reports a signal N as 128 + N. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Number of the first descriptor of `fds` in the VMM. */
export const FIRST_FD = 3;

const QEMU = '/usr/bin/qemu-system-x86_64';

/** Where the VMM sees its folders: what `HostBinding` has to say. */
export function jailFolders(spec: Pick<LaunchSpec, 'jail' | 'vmFolder' | 'runFolder'>): {
  vmFolder: string;
  runFolder: string;
} {
  if (spec.jail === 'none') return { vmFolder: spec.vmFolder, runFolder: spec.runFolder };
  return { vmFolder: '/vm', runFolder: '/run/vm' };
}

/** A VMM that did not start; the message ends with what it said. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
}

/** Starts QEMU. Rejects with a LaunchError when it ends before its monitor answers; nothing of it is left then. */
export async function launch(spec: LaunchSpec): Promise<Launched> {
  spec.signal?.throwIfAborted();
  await using undo = new AsyncDisposableStack();
  const log = openLog(spec.logFile);
  undo.defer(() => closeSync(log));
  const start = fstatSync(log).size;

  const isJailed = spec.jail !== 'none';
  const infoFd = FIRST_FD + spec.fds.length;
  const command = jailCommand(vmJail(spec, infoFd), QEMU, spec.args);
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', log, log, ...spec.fds, ...(isJailed ? (['pipe', 'pipe'] as const) : [])],
    cwd: '/',
    env: isJailed ? {} : { QEMU_MODULE_DIR: `${spec.runtime.path}/usr/lib/x86_64-linux-gnu/qemu` },
    detached: true,
  });
  undo.defer(() => killGroup(child.pid));
  const ended = Promise.withResolvers<Exit>();
  child.once('error', ended.reject);
  child.once('exit', (code, signal) => ended.resolve({ code, signal }));
  const failed = ended.promise.then(({ code, signal }) => {
    throw new LaunchError(`QEMU ended with ${code ?? signal}: ${lastLines(spec.logFile, start)}`);
  });
  failed.catch(() => undefined); // until somebody waits for it

  const info = child.stdio[infoFd] as Readable | undefined;
  const go = child.stdio[infoFd + 1] as Writable | undefined;
  const pid = isJailed && info ? await Promise.race([readPid(info), failed]) : child.pid;
  const process = pid === undefined ? undefined : identifyProcess(pid);
  if (!process) return await failed;
  go?.on('error', () => undefined); // it died: `failed` knows why
  go?.end('1', () => go.destroy()); // bubblewrap never closes its end
  // The kernel takes 10 ms and more to move a process. QEMU initializes meanwhile; the guest does not run yet.
  const grouped = spec.enterGroup?.(process.pid) ?? Promise.resolve();
  grouped.catch(() => undefined); // awaited below

  const giveUp = new AbortController();
  undo.defer(() => giveUp.abort());
  const signal = spec.signal ? AbortSignal.any([spec.signal, giveUp.signal]) : giveUp.signal;
  const connected = connect(spec, signal).catch(async (error: unknown) => {
    // A QEMU that is about to end closes its monitor first; what it said is the better answer.
    await Promise.race([failed, delay(spec.clock, 1000)]);
    throw error;
  });
  const monitor = await Promise.race([connected, failed]);
  await grouped;
  child.unref(); // from now on it does not keep this process alive
  closeSync(log);
  undo.move();
  return { process, monitor, ended: ended.promise };
}

function vmJail(spec: LaunchSpec, infoFd: number): Jail {
  const inside = jailFolders(spec);
  return {
    mode: spec.jail,
    runtimePath: spec.runtime.path,
    uid: spec.uid ?? 0,
    groups: spec.accelerator === 'kvm' ? groupsOf('/dev/kvm') : [],
    devices: spec.accelerator === 'kvm' ? ['/dev/kvm'] : [],
    binds: [
      { host: spec.vmFolder, inside: inside.vmFolder, writable: true },
      { host: spec.runFolder, inside: inside.runFolder, writable: true },
      ...(spec.binds ?? []),
    ],
    workFolder: '/', // bubblewrap goes there when it may no longer enter a folder of the VM's uid
    network: spec.network,
    whenStarterEnds: 'outlive',
    ...(spec.jail === 'none' ? {} : { control: { infoFd, blockFd: infoFd + 1 } }),
  };
}

const groupsOf = (device: string) => [statSync(device).gid];

// bubblewrap writes one JSON object and closes.
async function readPid(info: Readable): Promise<number> {
  let text = '';
  for await (const chunk of info) text += String(chunk);
  const pid: unknown = text === '' ? undefined : (JSON.parse(text) as { 'child-pid'?: unknown })['child-pid'];
  // It died before it could say; the caller waits for that instead.
  if (typeof pid !== 'number') return await new Promise<never>(() => undefined);
  return pid;
}

async function connect(spec: LaunchSpec, signal: AbortSignal): Promise<Monitor> {
  const timeoutMs = spec.timeoutMs ?? 30_000;
  return await connectMonitor(`${spec.runFolder}/${runFiles.monitor}`, {
    clock: spec.clock,
    log: spec.log ?? silentLogger,
    retryForMs: timeoutMs,
    timeoutMs,
    ...(spec.transcript ? { transcript: spec.transcript } : {}),
    signal,
  });
}

// A symbolic link in the VM's folder could make root write elsewhere.
function openLog(path: string): number {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants;
  return openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_RDWR, 0o640);
}

/** The end of what was written to the log since `start`. */
function lastLines(path: string, start: number): string {
  const fd = openLog(path);
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(start, size - 2000);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    const read = readSync(fd, buffer, 0, buffer.length, from);
    return buffer.toString('utf8', 0, read).trim() || 'it said nothing';
  } finally {
    closeSync(fd);
  }
}
