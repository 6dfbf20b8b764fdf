// What becomes of vCenter's VMs when a host tells which VMs it has: the decision, without effects.
// Source for conflicts: vSphere, "Instance UUID conflict" (VmInstanceUuidConflictEvent): the VM that came later gets a new one.
import type { MoRef } from '@vivarium/vim';
import type { EntityRecord } from '../inventory/entity-records.ts';

/** A VM as its host has it. */
export interface ReportedVm {
  readonly hostKey: string;
  readonly name: string;
  /** '' with the two below where the host cannot read the VM now: it is the same VM, and nothing else is known of it. */
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
  | {
      readonly kind: 'keep';
      readonly ref: MoRef<'VirtualMachine'>;
      readonly vm: ReportedVm;
      readonly sharesUuid: boolean;
    }
  | { readonly kind: 'add'; readonly vm: ReportedVm; readonly sharesUuid: boolean }
  /** The same files were run by another host before. */
  | { readonly kind: 'move'; readonly ref: MoRef<'VirtualMachine'>; readonly vm: ReportedVm }
  /** Another host has and runs the same files; this one only has them registered still. */
  | { readonly kind: 'ignore'; readonly vm: ReportedVm }
  | { readonly kind: 'remove'; readonly ref: MoRef<'VirtualMachine'> };

type Entry = readonly [MoRef<'VirtualMachine'>, EntityRecord<'VirtualMachine'>];

export interface VmPlanInput {
  readonly reported: readonly ReportedVm[];
  /** The inventory's VMs of this host. */
  readonly own: readonly Entry[];
  readonly elsewhere: (instanceUuid: string) => VmElsewhere | undefined;
}

/** `sharesUuid`: another VM has its instance UUID by right, so this one needs one of its own. */
export function planVms({ reported, own, elsewhere }: VmPlanInput): VmStep[] {
  const known = match(reported, own);
  const holders = new Set<string>();
  for (const vm of reported) if (known.get(vm)?.[1].instanceUuid === vm.instanceUuid) holders.add(vm.instanceUuid);
  const steps = reported.map((vm): VmStep => {
    const same = known.get(vm);
    const isHolder = same?.[1].instanceUuid === vm.instanceUuid;
    const other = isHolder ? undefined : elsewhere(vm.instanceUuid);
    const sharesUuid = !isHolder && vm.instanceUuid !== '' && (other !== undefined || holders.has(vm.instanceUuid));
    if (same) {
      holders.add(vm.instanceUuid);
      return { kind: 'keep', ref: same[0], vm, sharesUuid };
    }
    if (other && hasSameFiles(other.record, vm)) return planRegisteredTwice(vm, other);
    holders.add(vm.instanceUuid);
    return { kind: 'add', vm, sharesUuid };
  });
  const kept = new Set(Array.from(known.values(), ([{ value }]) => value));
  const gone = own.filter(([ref]) => !kept.has(ref.value));
  return [...gone.map(([ref]): VmStep => ({ kind: 'remove', ref })), ...steps];
}

/**
 * Which reported VM is which of ours. A host gives a VM's key to nobody else, but may lose its keys; a copy has the UUID of its
 * original, but not its files; files may be renamed and a UUID changed, not both at once. So what says more is asked of all first.
 */
function match(reported: readonly ReportedVm[], own: readonly Entry[]): ReadonlyMap<ReportedVm, Entry> {
  const byKey = new Map(own.map((entry) => [entry[1].hostKey, entry]));
  const byUuid = new Map(own.map((entry) => [entry[1].instanceUuid, entry]));
  const byFiles = new Map(own.map((entry) => [filesOf(entry[1]), entry]));
  const hasUuid = (entry: Entry | undefined, { instanceUuid }: ReportedVm) => entry?.[1].instanceUuid === instanceUuid;
  const rules: readonly ((vm: ReportedVm) => Entry | undefined)[] = [
    (vm) => (vm.instanceUuid === '' ? byKey.get(vm.hostKey) : undefined),
    (vm) => {
      const entry = byFiles.get(filesOf(vm));
      return entry?.[1].hostKey === vm.hostKey || hasUuid(entry, vm) ? entry : undefined;
    },
    (vm) => {
      const entry = byKey.get(vm.hostKey);
      return hasUuid(entry, vm) || entry?.[1].instanceUuid === '' ? entry : undefined;
    },
    (vm) => (vm.instanceUuid === '' ? undefined : byUuid.get(vm.instanceUuid)),
  ];
  const found = new Map<ReportedVm, Entry>();
  const taken = new Set<Entry>();
  for (const rule of rules) {
    for (const vm of reported) {
      const entry = found.has(vm) ? undefined : rule(vm);
      if (!entry || taken.has(entry)) continue;
      found.set(vm, entry);
      taken.add(entry);
    }
  }
  return found;
}

function planRegisteredTwice(vm: ReportedVm, other: VmElsewhere): VmStep {
  const isOurs = !other.isClaimed || (vm.isRunning && !other.isRunning);
  return isOurs ? { kind: 'move', ref: other.ref, vm } : { kind: 'ignore', vm };
}

function hasSameFiles(record: EntityRecord<'VirtualMachine'>, vm: ReportedVm): boolean {
  return filesOf(record) === filesOf(vm);
}

/** Datastores may be called differently on each host; the URL says which one it is. */
function filesOf({ datastoreUrl, vmPathName }: Pick<ReportedVm, 'datastoreUrl' | 'vmPathName'>): string {
  return `${datastoreUrl} ${vmPathName.slice(vmPathName.indexOf(']') + 1).trim()}`;
}
