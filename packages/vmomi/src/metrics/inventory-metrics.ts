// What there is and how busy it is, read from the properties that every client sees: the same on a host and on vCenter. Shows
// only what the asking session may read.
import type {
  DatastoreSummary,
  HostListSummary,
  ManagedTypes,
  VirtualMachineQuickStats,
  VirtualMachineSummary,
} from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import type { Family, Sample } from './exposition.ts';

const MEGA = 1_000_000;
const MEBI = 2 ** 20;

interface Seen<T> {
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: T;
}

export interface InventoryMetricsOptions {
  readonly graph: ObjectGraph;
  readonly mayRead: (object: ManagedObject) => boolean;
  /** Whether single VMs are shown, or only their numbers. */
  readonly withVms: boolean;
}

export function* inventoryFamilies(options: InventoryMetricsOptions): Generator<Family> {
  const { graph, withVms } = options;
  const vms = seen<VirtualMachineSummary>(options, 'VirtualMachine', 'vm');
  yield gauges(
    'vivarium_virtual_machines',
    'VMs by power state.',
    byState(vms, ({ runtime }) => runtime.powerState, 'power_state'),
  );
  const hosts = seen<HostListSummary>(options, 'HostSystem', 'host');
  const connection = ({ runtime }: HostListSummary) => runtime?.connectionState ?? 'disconnected';
  yield gauges('vivarium_hosts', 'Hosts by connection state.', byState(hosts, connection, 'connection_state'));
  yield gauges('vivarium_managed_objects', 'Managed objects of any type.', [{ value: graph.size }]);
  const filters = [...graph.ofType('PropertyFilter')].length;
  yield gauges('vivarium_property_filters', 'Property filters of all sessions.', [{ value: filters }]);
  yield* hostFamilies(hosts);
  yield* datastoreFamilies(seen<DatastoreSummary>(options, 'Datastore', 'datastore'));
  if (withVms) yield* vmFamilies(vms.filter(({ summary }) => summary.runtime.powerState === 'poweredOn'));
}

function* hostFamilies(hosts: readonly Seen<HostListSummary>[]): Generator<Family> {
  const family = (name: string, help: string, value: (summary: HostListSummary) => number | undefined) =>
    gauges(`vivarium_host_${name}`, help, values(hosts, value));
  yield family('cpu_usage_hertz', 'CPU that the host uses.', ({ quickStats }) =>
    times(quickStats.overallCpuUsage, MEGA),
  );
  yield family('cpu_capacity_hertz', 'CPU that the host has.', ({ hardware }) =>
    hardware ? hardware.cpuMhz * hardware.numCpuCores * MEGA : undefined,
  );
  yield family('memory_usage_bytes', 'Memory that the host uses.', ({ quickStats }) =>
    times(quickStats.overallMemoryUsage, MEBI),
  );
  yield family('memory_capacity_bytes', 'Memory that the host has.', ({ hardware }) => hardware?.memorySize);
  yield family('uptime_seconds', 'Time since the start of the host.', ({ quickStats }) => quickStats.uptime);
}

function* datastoreFamilies(datastores: readonly Seen<DatastoreSummary>[]): Generator<Family> {
  const known = datastores.filter(({ summary }) => summary.accessible);
  const family = (name: string, help: string, value: (summary: DatastoreSummary) => number) =>
    gauges(`vivarium_datastore_${name}`, help, values(known, value));
  yield family('capacity_bytes', 'Size of the datastore.', ({ capacity }) => capacity);
  yield family('free_bytes', 'Room on the datastore.', ({ freeSpace }) => freeSpace);
}

function* vmFamilies(vms: readonly Seen<VirtualMachineSummary>[]): Generator<Family> {
  const family = (name: string, help: string, value: (stats: VirtualMachineQuickStats) => number | undefined) =>
    gauges(
      `vivarium_vm_${name}`,
      help,
      values(vms, ({ quickStats }) => value(quickStats)),
    );
  const of = (help: string) => `${help}, of running VMs.`;
  yield family('cpu_usage_hertz', of('CPU used'), (stats) => times(stats.overallCpuUsage, MEGA));
  yield family('cpu_demand_hertz', of('CPU that would be used without waiting'), (stats) =>
    times(stats.overallCpuDemand, MEGA),
  );
  yield family('memory_consumed_bytes', of('Host memory taken'), (stats) => times(stats.hostMemoryUsage, MEBI));
  yield family('memory_active_bytes', of('Memory that the guest works with'), (stats) =>
    times(stats.guestMemoryUsage, MEBI),
  );
  yield family('memory_ballooned_bytes', of('Memory taken back by the balloon'), (stats) =>
    times(stats.balloonedMemory, MEBI),
  );
  yield family('memory_swapped_bytes', of('Memory in swap space'), (stats) => times(stats.swappedMemory, MEBI));
  yield gauges(
    'vivarium_vm_memory_size_bytes',
    of('Configured memory'),
    values(vms, ({ config }) => times(config.memorySizeMB, MEBI)),
  );
  yield gauges(
    'vivarium_vm_cpus',
    of('Virtual CPUs'),
    values(vms, ({ config }) => config.numCpu),
  );
  yield family('uptime_seconds', of('Time since the start'), (stats) => stats.uptimeSeconds);
}

/** The entities of a type that may be read, with their summaries. */
function seen<T>({ graph, mayRead }: InventoryMetricsOptions, type: keyof ManagedTypes, label: string): Seen<T>[] {
  return Array.from(graph.ofType(type), (object) => object as unknown as ManagedObject).flatMap((object) => {
    const summary = object.getPath('summary') as T | undefined;
    if (summary === undefined || !mayRead(object)) return [];
    return { labels: { [label]: object.ref.value, name: String(object.getPath('name') ?? '') }, summary };
  });
}

function* values<T>(entities: readonly Seen<T>[], value: (summary: T) => number | undefined): Generator<Sample> {
  for (const { labels, summary } of entities) {
    const known = value(summary);
    if (known !== undefined) yield { labels, value: known };
  }
}

function byState<T>(entities: readonly Seen<T>[], state: (summary: T) => string, label: string): Sample[] {
  const counts = new Map<string, number>();
  for (const { summary } of entities) counts.set(state(summary), (counts.get(state(summary)) ?? 0) + 1);
  return Array.from(counts, ([name, value]) => ({ labels: { [label]: name }, value }));
}

function gauges(name: string, help: string, samples: Iterable<Sample>): Family {
  return { name, help, type: 'gauge', samples };
}

function times(value: number | undefined, unit: number): number | undefined {
  return value === undefined ? undefined : value * unit;
}
