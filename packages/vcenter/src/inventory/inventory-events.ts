// The events of what vCenter alone knows: datacenters, clusters, pools, and the names of datastores. Of folders, and of a cluster's new
// name, vSphere tells nothing but the task.
import { type MoRef, make } from '@vivarium/vim';
import type { Call, NewEvent } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import type { EntityRef, EntityType } from './entity-records.ts';

type Pool = MoRef<'ResourcePool'>;
type Cluster = MoRef<'ClusterComputeResource'>;

export function createdEvent(center: Center, ref: MoRef<'Datacenter'> | Cluster, call: Call): void {
  const { inventory, service } = center;
  const folder = inventory.get(ref as Cluster).parent as MoRef;
  const parent = make('FolderEventArgument', { name: nameOf(center, folder), folder: folder as MoRef<'Folder'> });
  const place = placeOf(center, ref);
  if (ref.type === 'Datacenter') service.events.post({ _typeName: 'DatacenterCreatedEvent', ...place, parent }, call);
  else service.events.post({ _typeName: 'ClusterCreatedEvent', ...place, parent }, call);
}

export function renamedEvent(center: Center, ref: EntityRef, oldName: string, call: Call): void {
  const { events } = center.service;
  const newName = nameOf(center, ref as MoRef);
  const place = placeOf(center, ref as MoRef);
  if (ref.type === 'Datacenter') {
    events.post({ _typeName: 'DatacenterRenamedEvent', ...place, oldName, newName }, call);
  } else if (ref.type === 'Datastore') {
    const datastore = make('DatastoreEventArgument', { name: newName, datastore: ref as MoRef<'Datastore'> });
    events.post({ _typeName: 'DatastoreRenamedEvent', ...place, datastore, oldName, newName }, call);
  }
}

export function clusterReconfigured(center: Center, cluster: Cluster, call: Call): void {
  center.service.events.post({ _typeName: 'ClusterReconfiguredEvent', ...placeOf(center, cluster) }, call);
}

/** To be had while the cluster is there, and called when it is gone. */
export function clusterDestroyed(center: Center, cluster: Cluster, call: Call): () => void {
  return later(center, { _typeName: 'ClusterDestroyedEvent', ...placeOf(center, cluster) }, call);
}

export function poolCreated(center: Center, pool: Pool, call: Call): void {
  const parent = poolArgument(center, center.inventory.get<'ResourcePool'>(pool).parent as unknown as Pool);
  center.service.events.post({ _typeName: 'ResourcePoolCreatedEvent', ...aboutPool(center, pool), parent }, call);
}

export function poolReconfigured(center: Center, pool: Pool, call: Call): void {
  center.service.events.post({ _typeName: 'ResourcePoolReconfiguredEvent', ...aboutPool(center, pool) }, call);
}

/** A pool or a VM has come from one pool into another. */
export function movedToPool(
  center: Center,
  ref: Pool | MoRef<'VirtualMachine'>,
  from: Pool,
  to: Pool,
  call: Call,
): void {
  const { events } = center.service;
  const parents = { oldParent: poolArgument(center, from), newParent: poolArgument(center, to) };
  if (ref.type === 'VirtualMachine') {
    const vm = make('VmEventArgument', { name: nameOf(center, ref as MoRef), vm: ref });
    events.post({ _typeName: 'VmResourcePoolMovedEvent', vm, template: false, ...parents }, call);
  } else {
    events.post({ _typeName: 'ResourcePoolMovedEvent', ...aboutPool(center, ref as Pool), ...parents }, call);
  }
}

/** To be had while the pool is there, and called when it is gone. */
export function poolDestroyed(center: Center, pool: Pool, call: Call): () => void {
  return later(center, { _typeName: 'ResourcePoolDestroyedEvent', ...aboutPool(center, pool) }, call);
}

function later<K extends 'ClusterDestroyedEvent' | 'ResourcePoolDestroyedEvent'>(
  { service }: Center,
  event: NewEvent<K>,
  call: Call,
): () => void {
  return () => void service.events.post(event, call);
}

function aboutPool(center: Center, pool: Pool) {
  return { ...placeOf(center, pool), resourcePool: poolArgument(center, pool) };
}

function poolArgument(center: Center, resourcePool: Pool) {
  return make('ResourcePoolEventArgument', { name: nameOf(center, resourcePool as MoRef), resourcePool });
}

/** The datacenter and compute resource that it is, or is in. */
function placeOf(center: Center, ref: MoRef) {
  const { inventory } = center;
  const datacenter = inventory.above(ref, 'Datacenter') as MoRef<'Datacenter'> | undefined;
  const computeResource = inventory.above(ref, 'ClusterComputeResource', 'ComputeResource') as
    | MoRef<'ComputeResource'>
    | undefined;
  return {
    ...(datacenter
      ? { datacenter: make('DatacenterEventArgument', { name: nameOf(center, datacenter as MoRef), datacenter }) }
      : {}),
    ...(computeResource
      ? {
          computeResource: make('ComputeResourceEventArgument', {
            name: nameOf(center, computeResource as MoRef),
            computeResource,
          }),
        }
      : {}),
  };
}

function nameOf({ inventory }: Center, ref: MoRef): string {
  return inventory.find(ref as MoRef<EntityType>)?.name ?? '';
}
