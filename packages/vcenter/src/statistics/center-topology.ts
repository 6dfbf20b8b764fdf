// The inventory as the statistics see it.
import { type DatastoreSummary, type HostListSummary, type HostRuntimeInfo, type MoRef, moRef } from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';
import type { VmIndex } from '../host-sync/vm-index.ts';
import type { Hosts } from '../hosts/hosts.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { HostSource } from './host-source.ts';
import { linkSource } from './link-source.ts';
import type { Topology } from './topology.ts';

/** Asked for when needed: the statistics are made before the rest of vpxd. */
export interface TopologyOptions {
  readonly inventory: Inventory;
  readonly graph: () => ObjectGraph;
  readonly hosts: () => Hosts;
  readonly vms: () => VmIndex;
}

export function centerTopology({ inventory, graph, hosts, vms }: TopologyOptions): Topology {
  const sources = new Map<string, HostSource>();
  const hostsOf = (owner: MoRef) =>
    inventory.children(owner).filter((ref): ref is MoRef<'HostSystem'> => ref.type === 'HostSystem');
  const read = (ref: MoRef, path: string) => graph().find(ref)?.getPath(path);
  return {
    *hosts() {
      for (const [host] of inventory.ofType('HostSystem')) yield host;
    },
    source(host) {
      if (!hosts().isConnected(host)) return undefined;
      const known = sources.get(host.value);
      if (known) return known;
      const source = linkSource({
        call: (target, method, args, signal) => hosts().connected(host).link.call(target, method, args, signal),
        hostOf: (entity) => hosts().find(host)?.mirror.refs.hostOf(entity),
      });
      sources.set(host.value, source);
      return source;
    },
    vmsOn: (host) =>
      vms()
        .onHost(host)
        .map(([ref]) => ref),
    hostOf(entity) {
      if (entity.type === 'HostSystem') return moRef('HostSystem', entity.value);
      return entity.type === 'VirtualMachine' ? inventory.find(moRef('VirtualMachine', entity.value))?.host : undefined;
    },
    hostFacts(host) {
      const { hardware } = (read(host as MoRef, 'summary') as HostListSummary | undefined) ?? {};
      const runtime = read(host as MoRef, 'runtime') as HostRuntimeInfo | undefined;
      return {
        cpuMhz: hardware ? hardware.cpuMhz * hardware.numCpuCores : 0,
        memoryBytes: hardware?.memorySize ?? 0,
        isEffective: runtime?.connectionState === 'connected' && !runtime.inMaintenanceMode,
      };
    },
    *clusters() {
      for (const [cluster] of inventory.ofType('ClusterComputeResource')) yield [cluster, hostsOf(cluster as MoRef)];
    },
    poolsOf(vm) {
      const pools: MoRef[] = [];
      let pool = inventory.find(vm)?.resourcePool as MoRef | undefined;
      while (pool && (pool.type === 'ResourcePool' || pool.type === 'VirtualApp')) {
        pools.push(pool);
        pool = inventory.parentOf(pool);
      }
      return pools;
    },
    *datacenters() {
      for (const [datacenter] of inventory.ofType('Datacenter')) yield datacenter;
    },
    *datastores() {
      for (const [datastore] of inventory.ofType('Datastore')) {
        const summary = read(datastore as MoRef, 'summary') as DatastoreSummary | undefined;
        const space = summary?.accessible
          ? {
              capacityBytes: summary.capacity,
              freeBytes: summary.freeSpace,
              uncommittedBytes: summary.uncommitted ?? 0,
            }
          : undefined;
        yield [datastore, space];
      }
    },
    datastoreOf(host, instance) {
      const ref = hosts().find(host)?.mirror.refs.centerOf(moRef('Datastore', instance));
      return ref?.type === 'Datastore' ? moRef('Datastore', ref.value) : undefined;
    },
  };
}
