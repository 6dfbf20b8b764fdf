// ClusterComputeResource.MoveInto_Task: hosts of the same datacenter come into the cluster, in maintenance mode when they
// come from another cluster. Their VMs come with them, into the cluster's root pool.
import { MethodFault, type MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { belowOwner } from '../host-system/remove-host.ts';
import type { EntityRef } from '../inventory/entity-records.ts';
import type { InventoryOp } from '../inventory/inventory.ts';
import { isApp } from '../resource-pool/pool-ref.ts';
import { folderOfApp } from '../virtual-app/app-around.ts';

/** Faults: InvalidArgument (another datacenter), InvalidState (a cluster's host that is not in maintenance mode). */
export async function moveHosts(
  center: Center,
  cluster: MoRef<'ClusterComputeResource'>,
  hosts: readonly MoRef<'HostSystem'>[],
): Promise<void> {
  const { inventory, vms } = center;
  await inventory.exclusively(async () => {
    const { resourcePool } = inventory.get(cluster);
    const ops = hosts.flatMap((host): InventoryOp[] => {
      const record = inventory.get(host);
      const former = record.parent;
      if (former.value === cluster.value) return [];
      if (inventory.above(host, 'Datacenter')?.value !== inventory.above(cluster, 'Datacenter')?.value) {
        throw new MethodFault('InvalidArgument', { invalidProperty: 'host' });
      }
      const isFromCluster = former.type === 'ClusterComputeResource';
      if (isFromCluster && !record.inMaintenanceMode) throw new MethodFault('InvalidState');
      const moved = vms.onHost(host).map(([vm, vmRecord]): InventoryOp => {
        const parent = isApp(vmRecord.parent) ? (folderOfApp(inventory, vmRecord.parent) as MoRef) : vmRecord.parent;
        return { put: vm, record: { ...vmRecord, parent, resourcePool } };
      });
      const emptied = isFromCluster ? [] : [...belowOwner(center, former), former as EntityRef];
      const removed = emptied.filter(({ value }) => value !== host.value).map((ref): InventoryOp => ({ remove: ref }));
      return [{ put: host, record: { ...record, parent: cluster } }, ...moved, ...removed];
    });
    await inventory.apply(ops);
  });
  // What the host shares is listed by its compute resource: connecting anew puts all of it right.
  for (const host of hosts) {
    const session = center.hosts.find(host);
    if (session?.state !== 'connected') continue;
    session.mirror.withdraw();
    await center.hosts.drop(host);
    const again = center.hosts.open(host);
    again.connect();
    await again.whenConnected();
  }
}
