// A VM or host that leaves a cluster is taken out of its rules, groups and overrides, in the same change. Pure.
import { leaveCluster } from '@vivarium/drs';
import type { MoRef } from '@vivarium/vim';
import type { EntityRecord, EntityRef } from '../inventory/entity-records.ts';
import type { Inventory, InventoryOp } from '../inventory/inventory.ts';

type Cluster = MoRef<'ClusterComputeResource'>;
type Known = Pick<Inventory, 'find'>;

/** The changes, with those of the clusters that something leaves. */
export function forgetLeavers(inventory: Known, ops: readonly InventoryOp[]): readonly InventoryOp[] {
  const leavers = ops.flatMap((op) => leaverOf(inventory, op));
  if (leavers.length === 0) return ops;
  const gone = new Set(ops.flatMap((op) => ('remove' in op ? [op.remove.value] : [])));
  const changed = new Map<string, { readonly put: Cluster; readonly record: EntityRecord<'ClusterComputeResource'> }>();
  for (const op of ops) if (isClusterPut(op)) changed.set(op.put.value, op);
  for (const { cluster, ref } of leavers) {
    const record = changed.get(cluster.value)?.record ?? inventory.find<'ClusterComputeResource'>(cluster);
    if (!record || gone.has(cluster.value)) continue;
    const configuration = leaveCluster(record.configuration, ref);
    if (configuration !== record.configuration)
      changed.set(cluster.value, { put: cluster, record: { ...record, configuration } });
  }
  return changed.size === 0 ? ops : [...ops.filter((op) => !isClusterPut(op)), ...changed.values()];
}

function leaverOf(inventory: Known, op: InventoryOp): { readonly cluster: Cluster; readonly ref: EntityRef }[] {
  const ref = ('put' in op ? op.put : op.remove) as EntityRef;
  if (ref.type !== 'VirtualMachine' && ref.type !== 'HostSystem') return [];
  const former = ownerOf(inventory, ref, inventory.find(ref as MoRef<'HostSystem'>));
  const now = 'put' in op ? ownerOf(inventory, ref, op.record) : undefined;
  return former?.type === 'ClusterComputeResource' && former.value !== now?.value
    ? [{ cluster: former as Cluster, ref }]
    : [];
}

/** The compute resource of the host, or of the VM's pool. */
function ownerOf(inventory: Known, ref: EntityRef, record: object | undefined): MoRef | undefined {
  if (!record) return undefined;
  if (ref.type === 'HostSystem') return (record as EntityRecord<'HostSystem'>).parent;
  const { host } = record as EntityRecord<'VirtualMachine'>;
  return inventory.find(host)?.parent;
}

function isClusterPut(
  op: InventoryOp,
): op is { readonly put: Cluster; readonly record: EntityRecord<'ClusterComputeResource'> } {
  return 'put' in op && (op.put as EntityRef).type === 'ClusterComputeResource';
}
