// Devices that come and go while the machine runs.
import type { Device } from '../machine/device.ts';
import { memoryModule } from '../machine/memory-modules.ts';
import { QmpError } from './errors.ts';
import { readEvent } from './events.ts';
import type { Qmp, WaitOptions } from './monitor.ts';
import { findText, readList, readNumber, readObject, readPart } from './read.ts';

export async function deviceAdd(monitor: Qmp, device: Device): Promise<void> {
  await monitor.execute('device_add', device);
}

/**
 * Takes a device out and returns when it is gone. The guest has to let go of a PCI device: a q35 port gives it 5 s before it even
 * begins, and without a running system it never does. Rejects with a QmpError when the guest refuses and with a MonitorTimeoutError when
 * it does not answer; the guest may then still let go later (a `deviceDeleted` event).
 */
export async function deviceDelete(monitor: Qmp, id: string, options: WaitOptions = {}): Promise<void> {
  const isOurs = ({ device, path }: { device: string | undefined; path: string }) =>
    device === id || path === `/machine/peripheral/${id}`;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const outcome = monitor.waitFor(
    (event) => {
      const known = readEvent(event);
      return (known?.kind === 'deviceDeleted' || known?.kind === 'unplugRefused') && isOurs(known);
    },
    { timeoutMs: options.timeoutMs ?? 20_000, signal },
  );
  outcome.catch(() => undefined);
  try {
    await monitor.execute('device_del', { id });
  } catch (error) {
    stop.abort(error);
    throw error;
  }
  const event = readEvent(await outcome);
  if (event?.kind === 'unplugRefused') throw new QmpError('device_del', 'GenericError', `the guest keeps ${id}`);
}

export async function objectAdd(
  monitor: Qmp,
  object: { readonly 'qom-type': string; readonly id: string; readonly [property: string]: unknown },
): Promise<void> {
  await monitor.execute('object-add', object);
}

export async function objectDelete(monitor: Qmp, id: string): Promise<void> {
  await monitor.execute('object-del', { id });
}

export async function qomGet(monitor: Qmp, path: string, property: string): Promise<unknown> {
  return await monitor.execute('qom-get', { path, property });
}

export async function qomSet(monitor: Qmp, path: string, property: string, value: unknown): Promise<void> {
  await monitor.execute('qom-set', { path, property, value });
}

export interface CpuSlot {
  /** Driver and properties for `deviceAdd`. */
  readonly driver: string;
  readonly properties: Readonly<Record<string, number>>;
  /** Set when a processor is in the slot. */
  readonly qomPath?: string;
}

/** All processor slots, in the order in which they are to be filled. */
export async function queryHotpluggableCpus(monitor: Qmp): Promise<CpuSlot[]> {
  const slots = readList(await monitor.execute('query-hotpluggable-cpus')).map((slot) => {
    const props = readPart(slot, 'props');
    const properties = Object.fromEntries(Object.keys(props).map((name) => [name, readNumber(props, name)]));
    const qomPath = findText(slot, 'qom-path');
    return { driver: findText(slot, 'type') ?? '', properties, ...(qomPath === undefined ? {} : { qomPath }) };
  });
  return slots.toReversed();
}

/** Fills empty processor slots until `count` are in. Rejects with a RangeError when the machine has not that many slots. */
export async function plugCpus(monitor: Qmp, count: number): Promise<void> {
  const slots = await queryHotpluggableCpus(monitor);
  if (count > slots.length) throw new RangeError(`the machine has room for ${slots.length} processors`);
  const present = slots.filter(({ qomPath }) => qomPath !== undefined).length;
  const empty = slots.filter(({ qomPath }) => qomPath === undefined).slice(0, Math.max(0, count - present));
  for (const { driver, properties } of empty) {
    const place = Object.entries(properties).map(([name, value]) => `${name.replace('-id', '')}${value}`);
    await deviceAdd(monitor, { driver, id: `cpu-${place.join('-')}`, ...properties });
  }
}

/** Plugs one more memory module of `sizeMB` (a multiple of 128, the guest's unit) into a machine that has `presentMB`. */
export async function plugMemory(monitor: Qmp, presentMB: number, sizeMB: number): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const { backend, device } = memoryModule(presentMB, sizeMB);
  await objectAdd(monitor, backend);
  undo.defer(() => objectDelete(monitor, backend.id));
  await deviceAdd(monitor, device);
  undo.move();
}

/** Bytes of each plugged memory module, in the order in which they were plugged. */
export async function queryMemoryModules(monitor: Qmp): Promise<number[]> {
  const modules = readList(await monitor.execute('query-memory-devices'))
    .filter((entry) => findText(entry, 'type') === 'dimm')
    .map((entry) => readPart(entry, 'data'));
  return modules
    .toSorted((one, other) => readNumber(one, 'slot') - readNumber(other, 'slot'))
    .map((module) => readNumber(module, 'size'));
}

/** Bytes of memory that the machine has: what it started with, and plugged modules. */
export async function queryMemorySize(monitor: Qmp): Promise<{ baseBytes: number; pluggedBytes: number }> {
  const reply = readObject(await monitor.execute('query-memory-size-summary'));
  return {
    baseBytes: readNumber(reply, 'base-memory'),
    pluggedBytes: readNumber({ 'plugged-memory': 0, ...reply }, 'plugged-memory'),
  };
}
