// Destroy_Task of containers: everything below goes with them, VMs with their disks; one after the other from the leaves up, as no
// store takes a tree of any size at once. Who is cut short leaves a smaller tree that is whole, and the same call takes the rest.
// Source: vSphere Web Services API, Folder.Destroy_Task, Datacenter.Destroy_Task, ClusterComputeResource.Destroy_Task.
import { MethodFault, type MoRef, moRefKey } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { destroyPortgroup } from '../distributed-switch/change-portgroup.ts';
import { destroySwitch } from '../distributed-switch/change-switch.ts';
import { removeHost, requireRemovable } from '../host-system/remove-host.ts';
import type { EntityRef } from '../inventory/entity-records.ts';
import type { Inventory, InventoryOp, InventoryStep } from '../inventory/inventory.ts';
import { clusterDestroyed } from '../inventory/inventory-events.ts';
import { destroyVm } from '../virtual-machine/destroy-vm.ts';

/** Faults: NotSupported for a fixed folder; those of requireDestroyable, before anything is touched. */
export async function destroyTree(center: Center, root: EntityRef, call: Call): Promise<void> {
  const { inventory } = center;
  const record = root.type === 'Folder' ? inventory.get(root as MoRef<'Folder'>) : undefined;
  if (record?.isFixed) throw new MethodFault('NotSupported', {}, 'this folder belongs to its datacenter');
  const below = collect(center, root);
  requireDestroyable(center, below);
  const isHostSide = below.some(({ type }) => type === 'HostSystem');
  for (const ref of below) {
    // VMs in a folder are destroyed; those of hosts that leave stay where they are.
    if (ref.type === 'VirtualMachine' && !isHostSide) await destroyVm(center, ref as MoRef<'VirtualMachine'>, call);
  }
  for (const ref of below) if (ref.type === 'HostSystem') await removeHost(center, ref as MoRef<'HostSystem'>);
  for (const ref of below) {
    if (ref.type === 'VmwareDistributedVirtualSwitch') await destroySwitch(center, ref as Switch, call);
    if (ref.type !== 'DistributedVirtualPortgroup' || !inventory.find(ref as Portgroup)) continue;
    // With its switch, where that is to go too.
    const { dvs } = inventory.get<'DistributedVirtualPortgroup'>(ref as Portgroup);
    if (!below.some(({ value }) => value === dvs.value)) await destroyPortgroup(center, ref as Portgroup, call);
  }
  const tellings = below.flatMap((ref) =>
    ref.type === 'ClusterComputeResource'
      ? [clusterDestroyed(center, ref as MoRef<'ClusterComputeResource'>, call)]
      : [],
  );
  await inventory.exclusively(() => inventory.applySteps(leavesFirst(inventory, root)));
  for (const tell of tellings) tell();
}

type Switch = MoRef<'VmwareDistributedVirtualSwitch'>;
type Portgroup = MoRef<'DistributedVirtualPortgroup'>;

/**
 * Faults: ResourceInUse, when a VM below runs, or hosts that stay have a datastore or network below; InvalidState, when a host may
 * not leave its cluster.
 */
function requireDestroyable(center: Center, below: readonly EntityRef[]): void {
  const { service, shared } = center;
  const going = new Set(below.map(({ value }) => value));
  for (const ref of below) {
    const object = service.graph.find(ref as MoRef);
    const isUsed =
      ref.type === 'VirtualMachine'
        ? object?.getPath('runtime.powerState') === 'poweredOn'
        : (ref.type === 'Datastore' || ref.type === 'Network') &&
          shared.hostsOf(ref as MoRef<'Datastore'>).some(({ value }) => !going.has(value));
    if (isUsed) {
      throw new MethodFault('ResourceInUse', { type: ref.type, name: String(object?.getPath('name') ?? ref.value) });
    }
    if (ref.type === 'HostSystem') requireRemovable(center, ref as MoRef<'HostSystem'>);
  }
}

/** The entity and everything below it, top down. */
function collect({ inventory }: Center, root: EntityRef): EntityRef[] {
  const found: EntityRef[] = [root];
  for (let at = 0; at < found.length; at++) {
    const ref = found[at];
    if (ref) found.push(...inventory.children(ref));
  }
  return found;
}

/** Removes the entity after everything below it. What it cannot be without, and that without it, goes in one step with it. */
function leavesFirst(inventory: Inventory, root: EntityRef): InventoryStep[] {
  const steps: InventoryStep[] = [];
  const met = new Set<string>(); // a vApp is a child of its pool and of its folder
  const visit = (ref: EntityRef, whole: InventoryOp[]): void => {
    const key = moRefKey(ref as MoRef);
    if (met.has(key)) return;
    met.add(key);
    const own = isPart(inventory, ref) ? whole : [];
    for (const child of inventory.children(ref)) visit(child, own);
    own.push({ remove: ref });
    if (own !== whole) steps.push({ ops: own });
  };
  visit(root, []);
  return steps;
}

/** A datacenter's own folder, or a compute resource's root pool. */
function isPart(inventory: Inventory, ref: EntityRef): boolean {
  if (ref.type === 'Folder') return inventory.get(ref as MoRef<'Folder'>).isFixed;
  return ref.type === 'ResourcePool' && inventory.get(ref as MoRef<'ResourcePool'>).config === undefined;
}
