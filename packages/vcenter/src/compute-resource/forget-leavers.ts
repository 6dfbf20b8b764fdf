// A VM or host that leaves a cluster is taken out of its rules, groups and overrides, in the same change. Pure.
import { leaveCluster } from '@vivarium/drs';
import type { MoRef } from '@vivarium/vim';
import { type Amendment, amendRecords } from '../inventory/amend-records.ts';
import type { EntityRecord, EntityRef } from '../inventory/entity-records.ts';
import type { Inventory, InventoryOp } from '../inventory/inventory.ts';

type Known = Pick<Inventory, 'find'>;

/** The changes, with those of the clusters that something leaves. */
export function forgetLeavers(inventory: Known, ops: readonly InventoryOp[]): readonly InventoryOp[] {
  const moved = new Map<string, MoRef>();
  for (const op of ops) if ('put' in op && op.put.type === 'HostSystem') moved.set(op.put.value, op.record.parent);
  return amendRecords(
    inventory,
    ops,
    ops.flatMap((op) => leaving(inventory, op, moved)),
  );
}

/** `moved`: hosts that change, with what they are in then; their VMs go with them. */
function leaving(
  inventory: Known,
  op: InventoryOp,
  moved: ReadonlyMap<string, MoRef>,
): Amendment<'ClusterComputeResource'>[] {
  const ref = ('put' in op ? op.put : op.remove) as EntityRef;
  if (ref.type !== 'VirtualMachine' && ref.type !== 'HostSystem') return [];
  const former = ownerOf(inventory, ref, inventory.find(ref as MoRef<'HostSystem'>));
  const now = 'put' in op ? ownerOf(inventory, ref, op.record, moved) : undefined;
  if (former?.type !== 'ClusterComputeResource' || former.value === now?.value) return [];
  return [
    {
      ref: former as MoRef as MoRef<'ClusterComputeResource'>,
      change: (record) => {
        const configuration = leaveCluster(record.configuration, ref);
        return configuration === record.configuration ? record : { ...record, configuration };
      },
    },
  ];
}

/** The compute resource of the host, or of the VM's host. */
function ownerOf(
  inventory: Known,
  ref: EntityRef,
  record: object | undefined,
  moved?: ReadonlyMap<string, MoRef>,
): MoRef | undefined {
  if (!record) return undefined;
  if (ref.type === 'HostSystem') return (record as EntityRecord<'HostSystem'>).parent;
  const { host } = record as EntityRecord<'VirtualMachine'>;
  return moved?.get(host.value) ?? inventory.find(host)?.parent;
}
