// One round over the hosts: what they hand in goes to the archive in small lots, and is added up for their groups on the way, so
// that a round over 45,000 VMs never holds them all.
import { type MoRef, moRef, moRefKey } from '@vivarium/vim';
import type { Archive, MetricValue, Pacer } from '@vivarium/vmomi';
import type { HostFigures } from './collect-host.ts';
import { GroupSums } from './group-sums.ts';
import type { OperationCounts } from './operation-counts.ts';
import type { Topology } from './topology.ts';

/** Entities that are written together. */
const LOT = 2_048;

export interface CollectionOptions {
  readonly archive: Archive;
  readonly topology: Topology;
  readonly operations: OperationCounts;
  readonly pacer: Pacer;
  readonly periodS: number;
  /** The period that has just ended; undefined when only late figures are collected. */
  readonly newestMs: number | undefined;
}

interface Lot {
  readonly groups: GroupSums;
  entities: (readonly [entity: string, values: readonly MetricValue[]])[];
}

export class Collection {
  readonly #options: CollectionOptions;
  readonly #periods = new Map<number, Lot>();

  constructor(options: CollectionOptions) {
    this.#options = options;
    if (options.newestMs !== undefined) this.#period(options.newestMs);
  }

  /** What a host handed in for a period; once a host and period. */
  async add(timeMs: number, { entities }: HostFigures): Promise<void> {
    const period = this.#period(timeMs);
    for (const { ref, values } of entities) {
      if (timeMs === this.#options.newestMs) period.groups.add(ref, values);
      period.entities.push([moRefKey(ref), values]);
    }
    if (period.entities.length < LOT) return;
    const lot = period.entities;
    period.entities = [];
    await this.#options.archive.add(timeMs, lot);
  }

  /** Writes what is left, the groups, and the roll-ups. */
  async finish(): Promise<void> {
    const { archive, newestMs } = this.#options;
    for (const [timeMs, period] of [...this.#periods].toSorted(([a], [b]) => a - b)) {
      await archive.add(timeMs, period.entities);
      await archive.add(
        timeMs,
        timeMs === newestMs ? this.#newestGroups(period.groups) : await this.#lateGroups(timeMs),
      );
      await archive.complete(timeMs);
    }
  }

  #period(timeMs: number): Lot {
    const known = this.#periods.get(timeMs);
    if (known) return known;
    const made: Lot = { groups: new GroupSums(this.#options.topology), entities: [] };
    this.#periods.set(timeMs, made);
    return made;
  }

  #newestGroups(groups: GroupSums) {
    const { topology, operations } = this.#options;
    const figures = new Map<string, readonly MetricValue[]>([
      ...groups.clusters,
      ...groups.pools,
      ...groups.datastores,
    ]);
    const counted = [...Array.from(topology.clusters(), ([cluster]) => cluster as MoRef), ...topology.datacenters()];
    for (const ref of counted as readonly MoRef[]) {
      const key = moRefKey(ref);
      figures.set(key, [...(figures.get(key) ?? []), ...operations.figures(ref)]);
    }
    return figures;
  }

  /**
   * A host that is late changes the sums of its groups; the others' part is in the archive. Rates of datastores are not worked
   * out again, and the counts of operations stay.
   */
  async #lateGroups(timeMs: number) {
    const { archive, topology, periodS, pacer } = this.#options;
    const groups = new GroupSums(topology);
    const former = new Map<string, readonly MetricValue[]>();
    for (const [entity, values] of archive.at(periodS, timeMs)) {
      const colon = entity.indexOf(':');
      const type = entity.slice(0, colon);
      if (type === 'HostSystem' || type === 'VirtualMachine') groups.add(moRef(type, entity.slice(colon + 1)), values);
      else former.set(entity, values);
      await pacer.pause();
    }
    return [...groups.clusters, ...groups.pools].map(([entity, values]) => {
      const isNew = new Set(values.map(({ counter }) => counter));
      return [entity, [...values, ...(former.get(entity) ?? []).filter(({ counter }) => !isNew.has(counter))]] as const;
    });
  }
}
