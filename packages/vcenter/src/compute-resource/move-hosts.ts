// ClusterComputeResource.MoveInto_Task: hosts of the same datacenter come into the cluster, in maintenance mode when they
// come from another cluster. Their VMs come with them, into the cluster's root pool.
import { MethodFault, type MoRef } from '@vivarium/vim';
import type { Center } from '../center.ts';
import { HostUnreachable } from '../host-link/host-link.ts';
import { belowOwner } from '../host-system/remove-host.ts';
import type { EntityRecord, EntityRef } from '../inventory/entity-records.ts';
import type { InventoryOp, InventoryStep } from '../inventory/inventory.ts';
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
  const each = [...new Map(hosts.map((host) => [host.value, host])).values()];
  await inventory.exclusively(async () => {
    if (pool) requirePoolOf(center, cluster, pool);
    const resourcePool = pool ?? inventory.get(cluster).resourcePool;
    const taken = new Set<string>();
    /** What leaves a vApp comes into a folder, where its name may be another's. */
    const placeOf = ({ parent, name }: EntityRecord<'VirtualMachine'>) => {
      if (!isApp(parent)) return { parent, name };
      const folder = folderOfApp(inventory, parent) as MoRef;
      const free = inventory.freeName(folder, name, (one) => taken.has(`${folder.value} ${one}`));
      taken.add(`${folder.value} ${free}`);
      return { parent: folder, name: free };
    };
    const steps = each.map((host): InventoryStep => {
      const record = inventory.get(host);
      const former = record.parent;
      if (former.value === cluster.value) return { ops: [] };
      if (inventory.above(host, 'Datacenter')?.value !== inventory.above(cluster, 'Datacenter')?.value) {
        throw new MethodFault('InvalidArgument', { invalidProperty: 'host' });
      }
      const isFromCluster = former.type === 'ClusterComputeResource';
      if (isFromCluster && !record.inMaintenanceMode) throw new MethodFault('InvalidState');
      if (pool && !isFromCluster) requirePlain(center, former as EntityRef);
      const moved = vms.onHost(host).map(([vm, vmRecord]): InventoryOp => {
        return { put: vm, record: { ...vmRecord, ...placeOf(vmRecord), resourcePool } };
      });
      const emptied = isFromCluster ? [] : [...belowOwner(center, former), former as EntityRef];
      const removed = emptied.filter(({ value }) => value !== host.value).map((ref): InventoryOp => ({ remove: ref }));
      return { ops: [{ put: host, record: { ...record, parent: cluster } }, ...moved, ...removed] };
    });
    await inventory.applySteps(steps);
  });
  // What the host shares is listed by its compute resource: connecting anew puts all of it right, also of those behind one that fails.
  const results = await Promise.allSettled(each.map((host) => beginAnew(center, host)));
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
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
