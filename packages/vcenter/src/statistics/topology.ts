// What of the inventory the statistics need: who is where. Narrow, so that a test can be one.
import type { MoRef } from '@vivarium/vim';
import type { ClusterHost, DatastoreSpace } from './group-figures.ts';
import type { HostSource } from './host-source.ts';

export interface Topology {
  /** All hosts of the inventory. */
  hosts(): Iterable<MoRef<'HostSystem'>>;
  /** How a host is asked; undefined while it is not connected. */
  source(host: MoRef<'HostSystem'>): HostSource | undefined;
  vmsOn(host: MoRef<'HostSystem'>): readonly MoRef<'VirtualMachine'>[];
  /** The host that has an entity (a VM, or the host itself). */
  hostOf(entity: MoRef): MoRef<'HostSystem'> | undefined;
  /** What a host brings to its cluster, but for its figures. */
  hostFacts(host: MoRef<'HostSystem'>): Omit<ClusterHost, 'figures'>;
  /** Clusters with their hosts. Standalone hosts have none. */
  clusters(): Iterable<readonly [MoRef<'ClusterComputeResource'>, readonly MoRef<'HostSystem'>[]]>;
  /** The pools that a VM is in, innermost first. */
  poolsOf(vm: MoRef<'VirtualMachine'>): readonly MoRef[];
  datacenters(): Iterable<MoRef<'Datacenter'>>;
  /** Datastores with their room. */
  datastores(): Iterable<readonly [MoRef<'Datastore'>, DatastoreSpace | undefined]>;
  /** The datastore that a host's counters mean by an instance. */
  datastoreOf(host: MoRef<'HostSystem'>, instance: string): MoRef<'Datastore'> | undefined;
}
