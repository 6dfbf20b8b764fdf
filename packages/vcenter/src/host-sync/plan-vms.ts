// What becomes of vCenter's VMs when a host tells which VMs it has: the decision, without effects.
// Source for conflicts: vSphere, "Instance UUID conflict" (VmInstanceUuidConflictEvent): the VM that came later gets a new one.
import type { MoRef } from '@vivarium/vim';
import type { EntityRecord } from '../inventory/entity-records.ts';

/** A VM as its host has it. */
export interface ReportedVm {
  readonly hostKey: string;
  readonly name: string;
  readonly instanceUuid: string;
  readonly vmPathName: string;
  readonly datastoreUrl: string;
  readonly isRunning: boolean;
}

/** A VM of the inventory with one of the reported instance UUIDs, on another host. */
export interface VmElsewhere {
  readonly ref: MoRef<'VirtualMachine'>;
  readonly record: EntityRecord<'VirtualMachine'>;
  /** Its host is connected and has it. */
  readonly isClaimed: boolean;
  readonly isRunning: boolean;
}

export type VmStep =
  /** It is this one; what has changed of it is in `vm`. */
  | { readonly kind: 'keep'; readonly ref: MoRef<'VirtualMachine'>; readonly vm: ReportedVm }
  | { readonly kind: 'add'; readonly vm: ReportedVm }
  /** The same files were run by another host before. */
  | { readonly kind: 'move'; readonly ref: MoRef<'VirtualMachine'>; readonly vm: ReportedVm }
  /** Another VM has its instance UUID: it needs one of its own. */
  | { readonly kind: 'reidentify'; readonly vm: ReportedVm; readonly other: MoRef<'VirtualMachine'> }
  /** Another host has and runs the same files; this one only has them registered still. */
  | { readonly kind: 'ignore'; readonly vm: ReportedVm }
  | { readonly kind: 'remove'; readonly ref: MoRef<'VirtualMachine'> };

export interface VmPlanInput {
  readonly reported: readonly ReportedVm[];
  /** The inventory's VMs of this host. */
  readonly own: readonly (readonly [MoRef<'VirtualMachine'>, EntityRecord<'VirtualMachine'>])[];
  readonly elsewhere: (instanceUuid: string) => VmElsewhere | undefined;
}

export function planVms({ reported, own, elsewhere }: VmPlanInput): VmStep[] {
  const byKey = new Map(own.map((entry) => [entry[1].hostKey, entry]));
  const byUuid = new Map(own.map((entry) => [entry[1].instanceUuid, entry]));
  const matched = new Set<string>();
  const steps = reported.map((vm): VmStep => {
    const same = [byKey.get(vm.hostKey), byUuid.get(vm.instanceUuid)].find(
      (entry) => entry && !matched.has(entry[0].value) && isSame(entry[1], vm),
    );
    if (same) {
      matched.add(same[0].value);
      return { kind: 'keep', ref: same[0], vm };
    }
    return planStranger(vm, elsewhere(vm.instanceUuid));
  });
  const gone = own.filter(([ref]) => !matched.has(ref.value));
  return [...gone.map(([ref]): VmStep => ({ kind: 'remove', ref })), ...steps];
}

function planStranger(vm: ReportedVm, other: VmElsewhere | undefined): VmStep {
  if (!other) return { kind: 'add', vm };
  if (!hasSameFiles(other.record, vm)) return { kind: 'reidentify', vm, other: other.ref };
  const isOurs = !other.isClaimed || (vm.isRunning && !other.isRunning);
  return isOurs ? { kind: 'move', ref: other.ref, vm } : { kind: 'ignore', vm };
}

/** A host gives a VM's key to nobody else, but may lose its keys; the files may be renamed, the UUID changed, not both at once. */
function isSame(record: EntityRecord<'VirtualMachine'>, vm: ReportedVm): boolean {
  return record.instanceUuid === vm.instanceUuid || (record.hostKey === vm.hostKey && hasSameFiles(record, vm));
}

/** Datastores may be called differently on each host; the URL says which one it is. */
function hasSameFiles(record: EntityRecord<'VirtualMachine'>, vm: ReportedVm): boolean {
  return record.datastoreUrl === vm.datastoreUrl && pathOf(record.vmPathName) === pathOf(vm.vmPathName);
}

function pathOf(vmPathName: string): string {
  return vmPathName.slice(vmPathName.indexOf(']') + 1).trim();
}
