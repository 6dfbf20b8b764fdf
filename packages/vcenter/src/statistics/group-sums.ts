// The figures of all groups of one period, added up from those of hosts and VMs as they come in. Pure, but for what it asks of
// the topology.
import { type MoRef, moRef, moRefKey } from '@vivarium/vim';
import { counterKey, type MetricValue } from '@vivarium/vmomi';
import { ClusterSums, DATASTORE_SUMS, datastoreFigures, type EntityFigures, Sums } from './group-figures.ts';
import type { Topology } from './topology.ts';

type Named = readonly [entity: string, values: readonly MetricValue[]];

const OF_DATASTORES: ReadonlySet<number> = new Set(DATASTORE_SUMS.map(counterKey));

export class GroupSums {
  readonly #topology: Topology;
  /** Host → its cluster. */
  readonly #clusterOf = new Map<string, string>();
  readonly #clusters = new Map<string, ClusterSums>();
  readonly #pools = new Map<string, Sums>();
  readonly #datastores = new Map<string, MetricValue[]>();

  constructor(topology: Topology) {
    this.#topology = topology;
    for (const [cluster, hosts] of topology.clusters()) {
      for (const host of hosts) this.#clusterOf.set(host.value, moRefKey(cluster));
    }
  }

  /** Once for each host and VM; others are no part of any group. */
  add({ type, value }: MoRef, figures: EntityFigures): void {
    if (type === 'HostSystem') this.#addHost(moRef('HostSystem', value), figures);
    if (type === 'VirtualMachine') this.#addVm(moRef('VirtualMachine', value), figures);
  }

  /** Clusters of which at least one host was heard. */
  get clusters(): Named[] {
    return Array.from(this.#clusters, ([cluster, sums]) => [cluster, sums.figures] as const);
  }

  /** Pools in which something runs. */
  get pools(): Named[] {
    return Array.from(this.#pools, ([pool, sums]) => [pool, sums.figures] as const);
  }

  /** All datastores, with the room that they have now. */
  get datastores(): Named[] {
    return Array.from(this.#topology.datastores(), ([datastore, space]) => {
      const rates = this.#datastores.get(datastore.value) ?? [];
      return [moRefKey(datastore), datastoreFigures(rates, space)] as const;
    });
  }

  #addHost(host: MoRef<'HostSystem'>, figures: EntityFigures): void {
    const cluster = this.#clusterOf.get(host.value);
    if (cluster !== undefined) {
      const sums = this.#clusters.get(cluster) ?? new ClusterSums();
      this.#clusters.set(cluster, sums);
      sums.add({ figures, ...this.#topology.hostFacts(host) });
    }
    for (const figure of figures) {
      if (figure.instance === '' || !OF_DATASTORES.has(figure.counter)) continue;
      const datastore = this.#topology.datastoreOf(host, figure.instance);
      if (!datastore) continue;
      const rates = this.#datastores.get(datastore.value);
      if (rates) rates.push(figure);
      else this.#datastores.set(datastore.value, [figure]);
    }
  }

  #addVm(vm: MoRef<'VirtualMachine'>, figures: EntityFigures): void {
    for (const pool of this.#topology.poolsOf(vm)) {
      const key = moRefKey(pool);
      const sums = this.#pools.get(key) ?? Sums.ofVms();
      this.#pools.set(key, sums);
      sums.add(figures);
    }
  }
}
