// Block nodes, media and statistics.
import { delay } from '@vivarium/base';
import type { BlockNode } from '../machine/device.ts';
import { QmpError } from './errors.ts';
import type { Qmp } from './monitor.ts';
import { findNumber, findText, readFlag, readList, readNumber, readPart } from './read.ts';

export async function blockdevAdd(monitor: Qmp, node: BlockNode): Promise<void> {
  await monitor.execute('blockdev-add', node);
}

export async function blockdevDelete(monitor: Qmp, nodeName: string): Promise<void> {
  await monitor.execute('blockdev-del', { 'node-name': nodeName });
}

/** Makes nodes in the given order (files before what is on them); none of them stays when one fails. */
export async function blockdevAddAll(monitor: Qmp, nodes: readonly BlockNode[]): Promise<void> {
  await using undo = new AsyncDisposableStack();
  for (const node of nodes) {
    await blockdevAdd(monitor, node);
    undo.defer(() => blockdevDelete(monitor, node['node-name']));
  }
  undo.move();
}

/** Removes nodes in the reverse of the order in which they were made. */
export async function blockdevDeleteAll(monitor: Qmp, nodes: readonly BlockNode[]): Promise<void> {
  for (const node of nodes.toReversed()) await blockdevDelete(monitor, node['node-name']);
}

/**
 * Puts the medium `nodeName` (made before) into a CD-ROM or floppy drive, or with `undefined` empties it. A tray that the guest
 * has locked is opened by force, as VMware does after its question was answered with yes.
 */
export async function changeMedium(monitor: Qmp, deviceId: string, nodeName: string | undefined): Promise<void> {
  const id = { id: deviceId };
  await emptyTray(monitor, deviceId);
  if (nodeName !== undefined) await monitor.execute('blockdev-insert-medium', { ...id, 'node-name': nodeName });
  await monitor.execute('blockdev-close-tray', id);
}

/** Tells QEMU and the guest that a disk has grown (its image is resized too). */
export async function blockResize(monitor: Qmp, nodeName: string, sizeBytes: number): Promise<void> {
  await monitor.execute('block_resize', { 'node-name': nodeName, size: sizeBytes });
}

/** Limits a drive to `iops` operations a second; `undefined` takes the limit away. */
export async function setIopsLimit(monitor: Qmp, deviceId: string, iops: number | undefined): Promise<void> {
  const unlimited = { bps: 0, bps_rd: 0, bps_wr: 0, iops_rd: 0, iops_wr: 0 };
  await monitor.execute('block_set_io_throttle', { id: deviceId, ...unlimited, iops: iops ?? 0 });
}

export interface BlockDevice {
  /** The qdev id. */
  readonly id: string;
  /** Name of the node in it; absent = no medium. */
  readonly node?: string;
  readonly isTrayOpen: boolean;
  /** The guest has locked the tray. */
  readonly isLocked: boolean;
  /** Why the machine stopped because of this device, if it did. */
  readonly ioStatus: 'ok' | 'failed' | 'nospace' | undefined;
}

export async function queryBlock(monitor: Qmp): Promise<BlockDevice[]> {
  return readList(await monitor.execute('query-block')).map((device) => {
    const node = findText(readPart(device, 'inserted'), 'node-name');
    const status = findText(device, 'io-status');
    return {
      id: qdevId(findText(device, 'qdev')),
      ...(node === undefined ? {} : { node }),
      isTrayOpen: readFlag(device, 'tray_open'),
      isLocked: readFlag(device, 'locked'),
      ioStatus: status === 'ok' || status === 'failed' || status === 'nospace' ? status : undefined,
    };
  });
}

/** Counters since the machine started. */
export interface BlockStatistics {
  readonly id: string;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly flushes: number;
  readonly readTimeNs: number;
  readonly writeTimeNs: number;
  /** End of the file that was ever written to; for images that grow. */
  readonly highestOffsetBytes: number | undefined;
}

export async function queryBlockStatistics(monitor: Qmp): Promise<BlockStatistics[]> {
  return readList(await monitor.execute('query-blockstats')).map((device) => {
    const stats = readPart(device, 'stats');
    return {
      id: qdevId(findText(device, 'qdev')),
      readBytes: readNumber(stats, 'rd_bytes'),
      writtenBytes: readNumber(stats, 'wr_bytes'),
      reads: readNumber(stats, 'rd_operations'),
      writes: readNumber(stats, 'wr_operations'),
      flushes: readNumber(stats, 'flush_operations'),
      readTimeNs: readNumber(stats, 'rd_total_time_ns'),
      writeTimeNs: readNumber(stats, 'wr_total_time_ns'),
      highestOffsetBytes: findNumber(readPart(readPart(device, 'parent'), 'stats'), 'wr_highest_offset'),
    };
  });
}

// `qdev` is an id or a QOM path, depending on the device (virtio-blk: …/peripheral/ID/virtio-backend).
function qdevId(text: string | undefined): string {
  return /^\/machine\/peripheral\/([^/]+)/.exec(text ?? '')?.[1] ?? text ?? '';
}

/** A guest that is just looking at the drive may close the tray at once: then it is opened again. */
const TRAY_ATTEMPTS = 20;
const TRAY_RETRY_MS = 100;

async function emptyTray(monitor: Qmp, id: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await monitor.execute('blockdev-open-tray', { id, force: true });
    try {
      await monitor.execute('blockdev-remove-medium', { id });
      return;
    } catch (error) {
      const isClosedAgain = error instanceof QmpError && /is not open/.test(error.description);
      if (!isClosedAgain || attempt === TRAY_ATTEMPTS) throw error;
    }
    await delay(monitor.clock, TRAY_RETRY_MS);
  }
}
