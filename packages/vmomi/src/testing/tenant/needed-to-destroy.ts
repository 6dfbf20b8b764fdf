// For tests: what it needs to destroy something, with all that goes along.
import { type MoRef, moRefKey } from '@vivarium/vim';
import { type Need, need, parent, poolAround, read } from './need.ts';
import type { World } from './world.ts';

const DELETE: Readonly<Record<string, string>> = {
  VirtualMachine: 'VirtualMachine.Inventory.Delete',
  VirtualApp: 'VApp.Delete',
  Folder: 'Folder.Delete',
  StoragePod: 'Folder.Delete',
  Datacenter: 'Datacenter.Delete',
  Datastore: 'Datastore.Delete',
  DistributedVirtualPortgroup: 'DVPortgroup.Delete',
  VmwareDistributedVirtualSwitch: 'DVSwitch.Delete',
  Network: 'Network.Delete',
  ResourcePool: 'Resource.DeletePool',
  ClusterComputeResource: 'Host.Inventory.DeleteCluster',
  ComputeResource: 'Host.Inventory.DeleteCluster',
  HostSystem: 'Host.Inventory.RemoveHostFromCluster',
};

/** It, its parent, and all that goes with it. */
export function destroyed(world: World, target: MoRef): Need[] {
  const privilege = DELETE[target.type];
  if (privilege === undefined) return need('Global.Settings', target);
  if (target.type === 'ResourcePool') {
    const around = poolAround(world, target);
    const vms = read<MoRef[]>(world, target, 'vm', []);
    return [
      ...need(privilege, target, around),
      ...need('Resource.AssignVMToPool', ...vms, ...(vms.length > 0 ? [around] : [])),
    ];
  }
  const goneToo = inside(world, target).filter(
    (ref) => GOES_WITH.includes(ref.type) || containerOf(world, ref)?.type === 'VirtualApp',
  );
  return [
    ...need(privilege, target, parent(world, target)),
    ...goneToo.flatMap((ref) => need(DELETE[ref.type] ?? '', ref)),
  ];
}

/** Not what only hosts have, and what a compute resource is made of. */
const GOES_WITH = [
  'StoragePod',
  'VirtualApp',
  'Folder',
  'Datacenter',
  'VirtualMachine',
  'ClusterComputeResource',
  'ComputeResource',
  'HostSystem',
  'VmwareDistributedVirtualSwitch',
];

/** What is in a container, or in what is in it. */
export function inside(world: World, target: MoRef): MoRef[] {
  return world.entities().filter((ref) => {
    for (let at = containerOf(world, ref); at; at = containerOf(world, at)) {
      if (moRefKey(at) === moRefKey(target)) return true;
    }
    return false;
  });
}

/** A vApp is in a folder, or in another one; a pool only counts for what is in a vApp. */
function containerOf(world: World, ref: MoRef): MoRef | undefined {
  const app = read<MoRef | undefined>(world, ref, 'parentVApp', undefined);
  if (app) return app;
  if (ref.type === 'VirtualApp') return read<MoRef | undefined>(world, ref, 'parentFolder', undefined);
  const above = parent(world, ref);
  return ref.type === 'ResourcePool' && above?.type !== 'VirtualApp' ? undefined : above;
}
