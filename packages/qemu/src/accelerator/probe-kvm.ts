// Boots a real 64-bit kernel under KVM, jailed and with a hard time limit: /dev/kvm can open, answer its version and make a VM
// on machines that then never run a guest.
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Clock } from '@vivarium/base';
import { NOBODY } from '../images/qemu-img.ts';
import { type JailMode, jailCommand } from '../launch/jail.ts';
import { FIRST_FD } from '../launch/launch.ts';
import { findKvmFailure, type ProbeOutcome } from './verdict.ts';

/** A kernel with an initramfs whose user space prints `line` on the first serial port. */
export interface ProbePayload {
  readonly kernel: string;
  readonly initrd: string;
  readonly line: string;
}

export interface ProbeOptions {
  readonly runtime: { readonly path: string };
  readonly payload: ProbePayload;
  readonly clock: Clock;
  /** From start to the payload's line. */
  readonly limitMs: number;
  readonly jail: JailMode;
  /** Tests probe with `tcg`, which always works. */
  readonly accelerator: 'kvm' | 'tcg';
  readonly signal?: AbortSignal;
}

/** Never rejects because of what KVM or QEMU do, and leaves no process behind. */
export async function probeKvm(options: ProbeOptions): Promise<ProbeOutcome> {
  options.signal?.throwIfAborted();
  if (options.accelerator === 'tcg') return await runProbe(options, undefined);
  const device = await open('/dev/kvm', constants.O_RDWR).catch((error: NodeJS.ErrnoException) => error);
  if (device instanceof Error) {
    return device.code === 'EACCES' || device.code === 'EPERM' ? { kind: 'forbidden' } : { kind: 'absent' };
  }
  try {
    return await runProbe(options, device.fd);
  } finally {
    await device.close();
  }
}

async function runProbe(options: ProbeOptions, kvmFd: number | undefined): Promise<ProbeOutcome> {
  const started = options.clock.monotonic();
  const command = probeCommand(options, kvmFd !== undefined);
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', 'pipe', 'pipe', ...(kvmFd === undefined ? [] : [kvmFd])],
    env: {},
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const outcome = Promise.withResolvers<ProbeOutcome>();
  let serial = '';
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    serial = (serial + chunk.toString('latin1')).slice(-64 * 1024);
    if (!serial.includes(options.payload.line)) return;
    outcome.resolve({ kind: 'booted', milliseconds: options.clock.monotonic() - started });
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(0, 64 * 1024);
    const words = findKvmFailure(said);
    if (words !== undefined && words !== '') outcome.resolve({ kind: 'failed', words });
  });
  child.once('error', (error) => outcome.resolve({ kind: 'failed', words: error.message }));
  child.once('close', (code, signal) => outcome.resolve({ kind: 'failed', words: lastWords(said, code ?? signal) }));
  const timer = options.clock.setTimer(options.limitMs, () =>
    outcome.resolve({ kind: 'silent', limitMs: options.limitMs }),
  );
  const stop = () => outcome.reject(options.signal?.reason);
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    return await outcome.promise;
  } finally {
    timer.cancel();
    options.signal?.removeEventListener('abort', stop);
    child.kill('SIGKILL'); // the jail dies with bubblewrap
    await closed;
  }
}

function lastWords(said: string, end: number | string | null): string {
  const line = said.trim().split('\n').at(-1) ?? '';
  return line === '' ? `QEMU ended with ${end}` : line.replace(/^\S*qemu-system-x86_64: /, '');
}

function probeCommand({ runtime, payload, jail, accelerator }: ProbeOptions, hasFd: boolean) {
  const isRoot = process.getuid?.() === 0;
  const inside = (path: string, name: string) => (jail === 'none' ? path : `/probe/${name}`);
  const [kernel, initrd] = [inside(payload.kernel, 'kernel'), inside(payload.initrd, 'initrd')];
  const share = jail === 'none' ? `${runtime.path}/usr/share` : '/usr/share';
  // A descriptor instead of the device node: then the jail needs neither the node nor a group that may open it.
  const accelerated = hasFd
    ? ['-add-fd', `fd=${FIRST_FD},set=1`, '-accel', 'kvm,device=/dev/fdset/1']
    : ['-accel', accelerator];
  const cpu = accelerator === 'kvm' ? 'host' : 'qemu64';
  return jailCommand(
    {
      mode: jail === 'full' && !isRoot ? 'user' : jail,
      runtimePath: runtime.path,
      uid: NOBODY,
      binds: [
        { host: payload.kernel, inside: kernel, writable: false },
        { host: payload.initrd, inside: initrd, writable: false },
      ],
      devices: [],
      workFolder: '/',
      network: 'none',
      whenStarterEnds: 'die',
    },
    '/usr/bin/qemu-system-x86_64',
    [
      ...['-nodefaults', '-no-user-config', '-machine', 'q35', ...accelerated, '-cpu', cpu, '-m', '256', '-no-reboot'],
      ...['-L', `${share}/qemu`, '-L', `${share}/seabios`, '-display', 'none', '-serial', 'stdio'],
      ...['-kernel', kernel, '-initrd', initrd, '-append', 'console=ttyS0 quiet panic=-1 cryptomgr.notests'],
    ],
  );
}
