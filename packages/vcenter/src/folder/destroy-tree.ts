// Destroy_Task of containers: everything below goes with them, VMs with their disks.
// Source: vSphere Web Services API, Folder.Destroy_Task, Datacenter.Destroy_Task, ClusterComputeResource.Destroy_Task.
import { MethodFault, type MoRef } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { removeHost } from '../host-system/remove-host.ts';
import type { EntityRef } from '../inventory/entity-records.ts';
import type { InventoryOp } from '../inventory/inventory.ts';
import { destroyVm } from '../virtual-machine/destroy-vm.ts';

/** Fault: ResourceInUse, when a VM below runs; NotSupported for a fixed folder. */
export async function destroyTree(center: Center, root: EntityRef, call: Call): Promise<void> {
  const { inventory, service } = center;
  const record = root.type === 'Folder' ? inventory.get(root as MoRef<'Folder'>) : undefined;
  if (record?.isFixed) throw new MethodFault('NotSupported', {}, 'this folder belongs to its datacenter');
  const below = collect(center, root);
  const running = below.find(
    (ref) =>
      ref.type === 'VirtualMachine' && service.graph.find(ref as MoRef)?.getPath('runtime.powerState') === 'poweredOn',
  );
  if (running) {
    const name = String(service.graph.find(running as MoRef)?.getPath('name') ?? running.value);
    throw new MethodFault('ResourceInUse', { type: 'VirtualMachine', name });
  }
  const isHostSide = below.some(({ type }) => type === 'HostSystem');
  for (const ref of below) {
    // VMs in a folder are destroyed; those of hosts that leave stay where they are.
    if (ref.type === 'VirtualMachine' && !isHostSide) await destroyVm(center, ref as MoRef<'VirtualMachine'>, call);
  }
  for (const ref of below) if (ref.type === 'HostSystem') await removeHost(center, ref as MoRef<'HostSystem'>);
  await inventory.exclusively(async () => {
    const left = collect(center, root).filter((ref) => inventory.find(ref as never) !== undefined);
    await inventory.apply(left.reverse().map((ref): InventoryOp => ({ remove: ref })));
  });
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
