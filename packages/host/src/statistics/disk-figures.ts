// The counters of virtual disks and of the datastores that they lie on. Pure.
import type { DiskUsage } from '../vm/vmm.ts';
import type { Figures } from './figures.ts';

/** A disk as vSphere names it. */
export interface DiskPlace {
  /** `scsi0:0`. */
  readonly name: string;
  /** Id of its datastore's volume: what datastore counters are told apart by. */
  readonly volume: string;
}

/** What a disk did in an interval. */
export interface DiskRates extends DiskPlace {
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
  /** Seconds of the interval. */
  readonly duration: number;
  readonly readTimeNs: number;
  readonly writeTimeNs: number;
}

/** Of the disks that were there both times and have a name. */
export function diskRates(
  before: readonly DiskUsage[],
  after: readonly DiskUsage[],
  places: ReadonlyMap<string, DiskPlace>,
  duration: number,
): DiskRates[] {
  return after.flatMap((now) => {
    const then = before.find(({ id }) => id === now.id);
    const disk = places.get(now.id);
    if (!then || !disk) return [];
    const part = (name: Exclude<keyof DiskUsage, 'id'>) => Math.max(0, now[name] - then[name]);
    return {
      ...disk,
      duration,
      readBytes: part('readBytes'),
      writtenBytes: part('writtenBytes'),
      reads: part('reads'),
      writes: part('writes'),
      readTimeNs: part('readTimeNs'),
      writeTimeNs: part('writeTimeNs'),
    };
  });
}

/** The counters of a VM's own disks, together and each. */
export function addDisks(figures: Figures, disks: readonly DiskRates[]): void {
  const kBps = (bytes: number, { duration }: DiskRates) => bytes / 1024 / duration;
  const total = (rate: (disk: DiskRates) => number) => disks.reduce((sum, disk) => sum + rate(disk), 0);
  const read = total((disk) => kBps(disk.readBytes, disk));
  const write = total((disk) => kBps(disk.writtenBytes, disk));
  figures.add('disk.usage.average', read + write);
  figures.add('disk.read.average', read);
  figures.add('disk.write.average', write);
  figures.add('virtualDisk.read.average', read);
  figures.add('virtualDisk.write.average', write);
  figures.add('disk.maxTotalLatency.latest', maxLatencyMs(disks));
  for (const disk of disks) {
    const { name } = disk;
    const [readNs, writeNs] = [latencyNs(disk.readTimeNs, disk.reads), latencyNs(disk.writeTimeNs, disk.writes)];
    figures.add('virtualDisk.numberReadAveraged.average', disk.reads / disk.duration, name);
    figures.add('virtualDisk.numberWriteAveraged.average', disk.writes / disk.duration, name);
    figures.add('virtualDisk.read.average', kBps(disk.readBytes, disk), name);
    figures.add('virtualDisk.write.average', kBps(disk.writtenBytes, disk), name);
    figures.add('virtualDisk.totalReadLatency.average', readNs / 1e6, name);
    figures.add('virtualDisk.totalWriteLatency.average', writeNs / 1e6, name);
    figures.add('virtualDisk.readLatencyUS.latest', readNs / 1e3, name);
    figures.add('virtualDisk.writeLatencyUS.latest', writeNs / 1e3, name);
  }
  addDatastores(figures, disks);
}

/** The datastore counters of whoever has these disks. */
export function addDatastores(figures: Figures, disks: readonly DiskRates[]): void {
  for (const [volume, own] of Map.groupBy(disks, (disk) => disk.volume)) {
    const total = (part: (disk: DiskRates) => number) => own.reduce((sum, disk) => sum + part(disk), 0);
    const [reads, writes] = [total((disk) => disk.reads), total((disk) => disk.writes)];
    const readNs = latencyNs(
      total((disk) => disk.readTimeNs),
      reads,
    );
    const writeNs = latencyNs(
      total((disk) => disk.writeTimeNs),
      writes,
    );
    const rate = (part: (disk: DiskRates) => number) => total((disk) => part(disk) / disk.duration);
    figures.add(
      'datastore.numberReadAveraged.average',
      rate((disk) => disk.reads),
      volume,
    );
    figures.add(
      'datastore.numberWriteAveraged.average',
      rate((disk) => disk.writes),
      volume,
    );
    figures.add('datastore.read.average', rate((disk) => disk.readBytes) / 1024, volume);
    figures.add('datastore.write.average', rate((disk) => disk.writtenBytes) / 1024, volume);
    figures.add('datastore.totalReadLatency.average', readNs / 1e6, volume);
    figures.add('datastore.totalWriteLatency.average', writeNs / 1e6, volume);
  }
  figures.add('datastore.maxTotalLatency.latest', maxLatencyMs(disks));
}

/** Latency of the slowest kind of operation on any of the disks; undefined without disks. */
export function maxLatencyMs(disks: readonly DiskRates[]): number | undefined {
  if (disks.length === 0) return undefined;
  return (
    Math.max(
      ...disks.flatMap(({ readTimeNs, reads, writeTimeNs, writes }) => [
        latencyNs(readTimeNs, reads),
        latencyNs(writeTimeNs, writes),
      ]),
    ) / 1e6
  );
}

function latencyNs(timeNs: number, operations: number): number {
  return operations > 0 ? timeNs / operations : 0;
}
