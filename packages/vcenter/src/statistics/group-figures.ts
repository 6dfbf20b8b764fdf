// The figures of clusters, resource pools and datastores: what their hosts and VMs add up to in one period. Pure.
import { type CounterName, counterKey, type MetricValue } from '@vivarium/vmomi';

/** What one entity had in the period, its devices included. */
export type EntityFigures = readonly MetricValue[];

export interface ClusterHost {
  readonly figures: EntityFigures;
  readonly cpuMhz: number;
  readonly memoryBytes: number;
  /** It can run VMs now: connected, and not in maintenance. */
  readonly isEffective: boolean;
}

const HOST_SUMS = [
  'cpu.usagemhz.average',
  'cpu.reservedCapacity.average',
  'mem.consumed.average',
  'mem.active.average',
  'mem.granted.average',
  'mem.shared.average',
  'mem.zero.average',
  'mem.swapused.average',
  'mem.vmmemctl.average',
  'mem.reservedCapacity.average',
] as const satisfies readonly CounterName[];

const VM_SUMS = [
  'cpu.usagemhz.average',
  'mem.consumed.average',
  'mem.active.average',
  'mem.granted.average',
  'mem.shared.average',
  'mem.zero.average',
  'mem.swapped.average',
  'mem.vmmemctl.average',
] as const satisfies readonly CounterName[];

/** Of a host's datastores, each under its instance. */
export const DATASTORE_SUMS = [
  'datastore.numberReadAveraged.average',
  'datastore.numberWriteAveraged.average',
  'datastore.read.average',
  'datastore.write.average',
] as const satisfies readonly CounterName[];

/** Sums of the wholes (instance ''), by counter. Adds up one entity after the other. */
export class Sums {
  readonly #wanted: ReadonlySet<number>;
  readonly #sums = new Map<number, number>();

  constructor(names: readonly CounterName[]) {
    this.#wanted = new Set(names.map(counterKey));
  }

  static ofVms(): Sums {
    return new Sums(VM_SUMS);
  }

  add(figures: EntityFigures): void {
    for (const { counter, instance, value } of figures) {
      if (instance !== '' || !this.#wanted.has(counter)) continue;
      this.#sums.set(counter, (this.#sums.get(counter) ?? 0) + value);
    }
  }

  get(name: CounterName): number | undefined {
    return this.#sums.get(counterKey(name));
  }

  get figures(): MetricValue[] {
    return Array.from(this.#sums, ([counter, value]) => ({ counter, instance: '', value }));
  }
}

/** A cluster, from those of its hosts that were heard. Adds up one host after the other. */
export class ClusterSums {
  readonly #sums = new Sums(HOST_SUMS);
  #cpuMhz = 0;
  #memoryBytes = 0;
  #effectiveMhz = 0;
  #effectiveBytes = 0;

  add({ figures, cpuMhz, memoryBytes, isEffective }: ClusterHost): void {
    this.#sums.add(figures);
    this.#cpuMhz += cpuMhz;
    this.#memoryBytes += memoryBytes;
    if (!isEffective) return;
    this.#effectiveMhz += cpuMhz;
    this.#effectiveBytes += memoryBytes;
  }

  get figures(): MetricValue[] {
    const share = (part: number | undefined, whole: number) =>
      part === undefined || whole === 0 ? undefined : Math.round((part / whole) * 10_000);
    const consumed = this.#sums.get('mem.consumed.average');
    return [
      ...this.#sums.figures,
      ...figure('cpu.totalmhz.average', this.#cpuMhz),
      ...figure('mem.totalmb.average', Math.floor(this.#memoryBytes / 2 ** 20)),
      ...figure('cpu.usage.average', share(this.#sums.get('cpu.usagemhz.average'), this.#cpuMhz)),
      ...figure('mem.usage.average', share(consumed && consumed * 1024, this.#memoryBytes)),
      ...figure('clusterServices.effectivecpu.average', this.#effectiveMhz),
      ...figure('clusterServices.effectivemem.average', Math.floor(this.#effectiveBytes / 2 ** 20)),
    ];
  }
}

export interface DatastoreSpace {
  readonly capacityBytes: number;
  readonly freeBytes: number;
  /** What thin disks and swap files may still come to take. */
  readonly uncommittedBytes: number;
}

/** A datastore, from the figures that hosts have under its instance, and its room. */
export function datastoreFigures(rates: Iterable<MetricValue>, space: DatastoreSpace | undefined): MetricValue[] {
  const sums = new Map<number, number>();
  for (const { counter, value } of rates) sums.set(counter, (sums.get(counter) ?? 0) + value);
  const figures = Array.from(sums, ([counter, value]) => ({ counter, instance: '', value }));
  if (!space) return figures;
  const used = Math.max(0, space.capacityBytes - space.freeBytes);
  const kiloBytes = (bytes: number) => Math.floor(bytes / 1024);
  return [
    ...figures,
    ...figure('disk.capacity.latest', kiloBytes(space.capacityBytes)),
    ...figure('disk.used.latest', kiloBytes(used)),
    ...figure('disk.provisioned.latest', kiloBytes(used + space.uncommittedBytes)),
  ];
}

function figure(name: CounterName, value: number | undefined): MetricValue[] {
  return value === undefined ? [] : [{ counter: counterKey(name), instance: '', value }];
}
