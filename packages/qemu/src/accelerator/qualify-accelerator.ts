// Which accelerator this machine's guests run with: found out by booting one, remembered until the machine boots again.
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock, Logger } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import type { JailMode } from '../launch/jail.ts';
import { type ProbePayload, probeKvm } from './probe-kvm.ts';
import { judgeProbe, type Verdict } from './verdict.ts';

export interface QualifyOptions {
  readonly runtime: { readonly path: string };
  readonly payload: ProbePayload;
  /** The verdict is kept in `<cacheDir>/state/accelerator.json`. */
  readonly cacheDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Absent = `full` as root, else `user`. */
  readonly jail?: JailMode;
  /** Absent = 5 s: KVM boots the payload in about a second, nested in two. */
  readonly limitMs?: number;
  /** Probes even when a verdict is remembered: a machine under heavy load may have been too slow to show that KVM works. */
  readonly again?: boolean;
  readonly signal?: AbortSignal;
}

const LIMIT_MS = 5000;

/**
 * Probes KVM once per boot of the machine (and per runtime and user). Never rejects because KVM does not work: that is the
 * verdict `tcg` with its reason. Errors: the signal's reason.
 */
export async function qualifyAccelerator(options: QualifyOptions): Promise<Verdict> {
  const file = join(options.cacheDir, 'state', 'accelerator.json');
  const occasion = await probeOccasion(options.runtime.path);
  const known = parseRecord(await readFile(file, 'utf8').catch(() => ''));
  if (options.again !== true && known?.occasion === occasion) return known.verdict;
  const isRoot = process.getuid?.() === 0;
  const outcome = await probeKvm({
    runtime: options.runtime,
    payload: options.payload,
    clock: options.clock,
    limitMs: options.limitMs ?? LIMIT_MS,
    jail: options.jail ?? (isRoot ? 'full' : 'user'),
    accelerator: 'kvm',
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const verdict = judgeProbe(outcome);
  options.log.info({ outcome, verdict }, 'probed the accelerator');
  await remember(file, { occasion, verdict }).catch((error: unknown) => {
    options.log.warn(
      { err: error, file },
      'the verdict on the accelerator cannot be kept: the next start probes again',
    );
  });
  return verdict;
}

async function remember(file: string, record: { readonly occasion: string; readonly verdict: Verdict }): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o755 });
  await writeDurable(file, `${JSON.stringify(record, null, 2)}\n`, 0o644);
}

/** What a verdict holds for: this boot, this runtime, this user, this device node. */
async function probeOccasion(runtimePath: string): Promise<string> {
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const device = await stat('/dev/kvm').catch(() => undefined);
  return [boot, runtimePath, process.getuid?.(), device === undefined ? 'absent' : `${device.mode}:${device.gid}`].join(
    ' ',
  );
}

/** A record that is not whole counts as none. */
export function parseRecord(text: string): { readonly occasion: string; readonly verdict: Verdict } | undefined {
  try {
    const { occasion, verdict } = JSON.parse(text);
    const isWhole = typeof occasion === 'string' && typeof verdict.detail === 'string';
    return isWhole && (verdict.accelerator === 'kvm' || verdict.accelerator === 'tcg')
      ? { occasion, verdict }
      : undefined;
  } catch {
    return undefined;
  }
}
