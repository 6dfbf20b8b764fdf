// ClusterComputeResource.MoveInto_Task: hosts of the same datacenter come into the cluster, in maintenance mode when they
// come from another cluster. Their VMs come with them, into the cluster's root pool.
import { MethodFault, type MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { HostUnreachable } from '../host-link/host-link.ts';
import { belowOwner } from '../host-system/remove-host.ts';
import type { EntityRef } from '../inventory/entity-records.ts';
import type { InventoryOp } from '../inventory/inventory.ts';
import { isApp, isPool } from '../resource-pool/pool-ref.ts';
import { folderOfApp } from '../virtual-app/app-around.ts';

/**
 * `pool`: of the cluster, for the VMs; default: its root pool. Faults: InvalidArgument (another datacenter, another's pool),
 * InvalidState (a cluster's host that is not in maintenance mode), NotSupported (`pool`, for a host with pools of its own),
 * HostCommunication.
 */
export async function moveHosts(
  center: Center,
  cluster: MoRef<'ClusterComputeResource'>,
  hosts: readonly MoRef<'HostSystem'>[],
  pool?: MoRef<'ResourcePool'>,
): Promise<void> {
  const { inventory, vms } = center;
  await inventory.exclusively(async () => {
    if (pool) requirePoolOf(center, cluster, pool);
    const resourcePool = pool ?? inventory.get(cluster).resourcePool;
    const ops = hosts.flatMap((host): InventoryOp[] => {
      const record = inventory.get(host);
      const former = record.parent;
      if (former.value === cluster.value) return [];
      if (inventory.above(host, 'Datacenter')?.value !== inventory.above(cluster, 'Datacenter')?.value) {
        throw new MethodFault('InvalidArgument', { invalidProperty: 'host' });
      }
      const isFromCluster = former.type === 'ClusterComputeResource';
      if (isFromCluster && !record.inMaintenanceMode) throw new MethodFault('InvalidState');
      if (pool && !isFromCluster) requirePlain(center, former as EntityRef);
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
  for (const host of hosts) await beginAnew(center, host);
}

async function beginAnew({ hosts }: Center, host: MoRef<'HostSystem'>): Promise<void> {
  const session = hosts.open(host);
  await session.alone(async () => {
    const { state } = session;
    session.mirror.withdraw();
    await hosts.drop(host);
    if (state === 'disconnected') return;
    const again = hosts.open(host);
    again.connect();
    if (state !== 'connected') return;
    await again.whenConnected().catch((error: unknown) => {
      throw error instanceof HostUnreachable ? new MethodFault('HostCommunication', {}, error.message) : error;
    });
  });
}

/** Fault: InvalidArgument. */
export function requirePoolOf({ inventory }: Center, cluster: MoRef, pool: MoRef<'ResourcePool'>): void {
  if (inventory.get<'ResourcePool'>(pool).owner.value === cluster.value) return;
  throw new MethodFault('InvalidArgument', { invalidProperty: 'resourcePool' });
}

/** Its pools would have to come along. */
function requirePlain({ inventory }: Center, standalone: EntityRef): void {
  const { resourcePool } = inventory.get<'ComputeResource'>(standalone as MoRef as MoRef<'ComputeResource'>);
  if (inventory.children(resourcePool).some((ref) => isPool(ref as MoRef))) {
    throw new MethodFault('NotSupported', {}, 'a host’s own resource pools do not come into a cluster yet');
  }
}
