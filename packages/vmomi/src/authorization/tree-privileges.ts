// What it needs to take entities out of the tree or to another place in it. Reads the graph, changes nothing.
// Source: vSphere Security, "Defined Privileges": who deletes holds the privilege "in both the object and its parent object", who
// moves "at both the source and destination"; vSphere API, Folder: its Destroy_Task calls Destroy_Task on each object in it.
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import { byType } from './by-type.ts';
import { objectsAt, on, parentOf, type Requirement } from './requirement.ts';

const DESTROY: Readonly<Record<string, string>> = {
  VirtualMachine: 'VirtualMachine.Inventory.Delete',
  VirtualApp: 'VApp.Delete',
  Folder: 'Folder.Delete',
  Datacenter: 'Datacenter.Delete',
  Datastore: 'Datastore.Delete',
  DistributedVirtualPortgroup: 'DVPortgroup.Delete',
  DistributedVirtualSwitch: 'DVSwitch.Delete',
  Network: 'Network.Delete',
  ResourcePool: 'Resource.DeletePool',
  ComputeResource: 'Host.Inventory.DeleteCluster',
  HostSystem: 'Host.Inventory.RemoveHostFromCluster',
};

const MOVE: Readonly<Record<string, string>> = {
  VirtualMachine: 'VirtualMachine.Inventory.Move',
  VirtualApp: 'VApp.Move',
  Folder: 'Folder.Move',
  Datacenter: 'Datacenter.Move',
  Datastore: 'Datastore.Move',
  Network: 'Network.Move',
  DistributedVirtualSwitch: 'DVSwitch.Move',
  ComputeResource: 'Host.Inventory.MoveCluster',
};

/** What goes with a container. A pool's VMs stay, and what only hosts have goes with the last of them. */
const CONTENT: Readonly<Record<string, readonly string[]>> = {
  Folder: ['childEntity'],
  Datacenter: ['vmFolder', 'hostFolder', 'datastoreFolder', 'networkFolder'],
  ComputeResource: ['host'],
  VirtualApp: ['resourcePool', 'vm'],
};
const GOES_ALONG: ReadonlySet<string> = new Set([
  'Datastore',
  'Network',
  'DistributedVirtualPortgroup',
  'OpaqueNetwork',
]);

/** Destroy_Task: the object, its parent, and all that goes with it. */
export function destroyRequirements(graph: ObjectGraph, object: ManagedObject): Requirement[] {
  const privilege = byType(DESTROY, object.ref.type);
  if (object.ref.type === 'ResourcePool') return deletePool(graph, object);
  return [...on(privilege, object, parentOf(graph, object)), ...contentOf(graph, object).flatMap(goneToo)];
}

/** Folder.MoveIntoFolder_Task. A host alone moves with its compute resource. */
export function moveRequirements(graph: ObjectGraph, entity: ManagedObject, folder: ManagedObject): Requirement[] {
  const moved = entity.ref.type === 'HostSystem' ? (parentOf(graph, entity) ?? entity) : entity;
  return on(byType(MOVE, moved.ref.type), moved, parentOf(graph, moved), folder);
}

/** Its VMs come into the pool around it. */
function deletePool(graph: ObjectGraph, pool: ManagedObject): Requirement[] {
  const around = poolAround(graph, pool);
  const vms = objectsAt(graph, pool, 'vm');
  return [
    ...on('Resource.DeletePool', pool, around),
    ...on('Resource.AssignVMToPool', ...vms, ...(vms.length > 0 ? [around] : [])),
  ];
}

/** VirtualApp.unregisterVApp_Task: with all that is in it. */
export function unregisterAppRequirements(graph: ObjectGraph, app: ManagedObject): Requirement[] {
  const within = contentOf(graph, app);
  return [
    ...on('VApp.Unregister', parentOf(graph, app), ...within.filter(({ ref }) => ref.type === 'VirtualApp')),
    ...on('VirtualMachine.Inventory.Unregister', ...within.filter(({ ref }) => ref.type === 'VirtualMachine')),
    ...on('Resource.DeletePool', ...within.filter(({ ref }) => ref.type === 'ResourcePool')),
  ];
}

/** ResourcePool.DestroyChildren: every pool below, one by one; vApps stay. */
export function destroyChildrenRequirements(graph: ObjectGraph, pool: ManagedObject): Requirement[] {
  const children = objectsAt(graph, pool, 'resourcePool').filter(({ ref }) => ref.type === 'ResourcePool');
  return [
    ...on('Resource.DeletePool', pool),
    ...children.flatMap((child) => [...deletePool(graph, child), ...destroyChildrenRequirements(graph, child)]),
  ];
}

export function poolAround(graph: ObjectGraph, pool: ManagedObject): ManagedObject | undefined {
  const { parent } = pool;
  return parent?.type === 'ResourcePool' || parent?.type === 'VirtualApp' ? graph.find(parent) : undefined;
}

function goneToo(object: ManagedObject): Requirement[] {
  return GOES_ALONG.has(object.ref.type) ? [] : on(byType(DESTROY, object.ref.type), object);
}

/** Everything below that goes with it. */
function contentOf(graph: ObjectGraph, container: ManagedObject): ManagedObject[] {
  const found: ManagedObject[] = [container];
  /** In a vApp: their VMs do not stay. */
  const pools = new Set<ManagedObject>();
  // Grows while it is walked.
  for (const object of found) {
    const isInApp = pools.has(object);
    for (const path of isInApp ? (CONTENT['VirtualApp'] ?? []) : byType(CONTENT, object.ref.type, [])) {
      const below = objectsAt(graph, object, path);
      found.push(...below);
      if (path === 'resourcePool') for (const pool of below) pools.add(pool);
    }
  }
  return found.slice(1);
}
