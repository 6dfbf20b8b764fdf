// A machine's state into a file and back: suspend and resume. (Live migration uses the same commands with other addresses.)
import { delay } from '@vivarium/base';
import { QmpError } from './errors.ts';
import { readEvent } from './events.ts';
import type { Qmp, WaitOptions } from './monitor.ts';
import { findNumber, findText, readObject, readPart } from './read.ts';

export interface MigrationStatus {
  /** QEMU's MigrationStatus, e.g. `active`, `completed`, `failed`; `none` before the first one. */
  readonly status: string;
  readonly transferredBytes: number;
  readonly remainingBytes: number;
  readonly totalBytes: number;
  readonly error?: string;
}

export async function queryMigration(monitor: Qmp): Promise<MigrationStatus> {
  const reply = readObject(await monitor.execute('query-migrate'));
  const ram = readPart(reply, 'ram');
  const error = findText(reply, 'error-desc');
  return {
    status: findText(reply, 'status') ?? 'none',
    transferredBytes: findNumber(ram, 'transferred') ?? 0,
    remainingBytes: findNumber(ram, 'remaining') ?? 0,
    totalBytes: findNumber(ram, 'total') ?? 0,
    ...(error === undefined ? {} : { error }),
  };
}

export interface SaveOptions extends WaitOptions {
  /** 0 … 100, of the memory that is to be written. */
  readonly onProgress?: (percent: number) => void;
}

/** How often progress is asked for; the end comes as an event. */
const PROGRESS_MS = 250;
/** Saving is bounded by the disk, not by the network, for which QEMU's own limit is meant. */
const BYTES_PER_SECOND = 2 ** 40;

/**
 * Stops the machine and writes its state into `file`, named as QEMU sees it and writable for it. When this returns the state is complete
 * (the caller flushes the file) and the machine can only be ended. When it rejects, the state is worthless and the machine is stopped
 * but whole: `continueMachine` lets it run on.
 */
export async function saveState(monitor: Qmp, file: string, options: SaveOptions = {}): Promise<void> {
  await monitor.execute('stop');
  await setMigrationEvents(monitor);
  await monitor.execute('migrate-set-parameters', { 'max-bandwidth': BYTES_PER_SECOND });
  await migrateThrough(monitor, 'migrate', file, {}, options);
}

/**
 * Loads the state of `file` into a machine that was started with `incoming: 'defer'` and otherwise equal arguments. When this returns
 * the machine is stopped at the point at which it was saved: `continueMachine` lets it run.
 */
export async function loadState(monitor: Qmp, file: string, options: SaveOptions = {}): Promise<void> {
  await setMigrationEvents(monitor);
  // A state that cannot be loaded is an answer; QEMU would otherwise end without one.
  await migrateThrough(monitor, 'migrate-incoming', file, { 'exit-on-error': false }, options);
}

/**
 * Gives up a saving that somebody else had begun on this machine and did not see to its end; `continueMachine` may follow. Left
 * alone it would stop the machine again when it is over. Does nothing when there is none.
 */
export async function abandonSaving(monitor: Qmp): Promise<void> {
  const { status } = await queryMigration(monitor);
  if (!['none', 'completed', 'failed', 'cancelled'].includes(status)) await cancel(monitor);
}

async function setMigrationEvents(monitor: Qmp): Promise<void> {
  await monitor.execute('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] });
}

async function migrateThrough(
  monitor: Qmp,
  command: string,
  file: string,
  more: object,
  options: SaveOptions,
): Promise<void> {
  const over = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
  const ended = monitor.waitFor(isEnd, { timeoutMs: options.timeoutMs ?? 3_600_000, signal });
  ended.catch(() => undefined);
  try {
    const channel = { 'channel-type': 'main', addr: { transport: 'file', filename: file, offset: 0 } };
    await monitor.execute(command, { channels: [channel], ...more });
    await Promise.race([ended, reportProgress(monitor, options, signal)]);
    await ended;
  } catch (error) {
    if (options.signal?.aborted) await cancel(monitor);
    throw error;
  } finally {
    over.abort();
  }
  const { status, error } = await queryMigration(monitor);
  if (status !== 'completed') throw new QmpError(command, 'GenericError', error ?? `ended as ${status}`);
}

function isEnd(event: Parameters<typeof readEvent>[0]): boolean {
  const known = readEvent(event);
  return known?.kind === 'migration' && ['completed', 'failed', 'cancelled'].includes(known.status);
}

async function reportProgress(monitor: Qmp, { onProgress }: SaveOptions, signal: AbortSignal): Promise<never> {
  for (;;) {
    await delay(monitor.clock, PROGRESS_MS, signal);
    if (!onProgress) continue;
    const { totalBytes, remainingBytes } = await queryMigration(monitor);
    if (totalBytes > 0) onProgress(Math.floor((100 * (totalBytes - remainingBytes)) / totalBytes));
  }
}

async function cancel(monitor: Qmp): Promise<void> {
  const ended = monitor.waitFor(isEnd, { timeoutMs: 10_000 });
  ended.catch(() => undefined);
  await monitor.execute('migrate_cancel');
  await ended.catch(() => undefined); // it may have ended before we asked
}
