// Carries out a plan for a host's VMs: the inventory's records and the references follow.
import { type MoRef, moRef } from '@vivarium/vim';
import { escapeName } from '../inventory/entity-name.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { Inventory, InventoryStep } from '../inventory/inventory.ts';
import { isApp } from '../resource-pool/pool-ref.ts';
import { folderOfApp } from '../virtual-app/app-around.ts';
import { type ExpectedVms, registrationKey, type VmPlace } from './expected-vms.ts';
import type { MirrorEvents } from './host-mirror.ts';
import type { ReportedVm, VmStep } from './plan-vms.ts';
import type { ReferenceMap } from './reference-map.ts';

/** Where vCenter puts VMs that it finds on hosts. */
const DISCOVERED = 'Discovered virtual machine';

export interface PlaceVmsOptions {
  readonly steps: readonly VmStep[];
  readonly inventory: Inventory;
  readonly host: MoRef<'HostSystem'>;
  readonly refs: ReferenceMap;
  readonly expected: ExpectedVms;
  readonly events: MirrorEvents;
}

/** Within `inventory.exclusively`. */
export async function placeVms(options: PlaceVmsOptions): Promise<void> {
  const { steps, inventory, host, refs, expected, events } = options;
  const changes: InventoryStep[] = [];
  const fulfilled: string[] = [];
  const after: (() => void)[] = [];
  const taken = new Map<string, Set<string>>();
  const nameIn = (folder: MoRef, name: string, self?: MoRef) => {
    const holder = inventory.childNamed(folder, name);
    const used = taken.get(folder.value) ?? new Set();
    taken.set(folder.value, used);
    const isFree = !used.has(name) && (!holder || holder.value === self?.value);
    const free = isFree ? name : inventory.freeName(folder, name, (one) => used.has(one));
    used.add(free);
    return free;
  };
  const owner = inventory.get(host).parent as MoRef<'ComputeResource'>;
  const rootPool = inventory.get(owner).resourcePool;
  for (const step of steps) {
    if (step.kind === 'remove') {
      const record = inventory.get(step.ref);
      refs.forget(moRef('VirtualMachine', record.hostKey));
      events.vmRemoved(step.ref, record.name);
      changes.push({ ops: [{ remove: step.ref }] });
    } else if (step.kind === 'keep') {
      const record = inventory.get(step.ref);
      refs.set(moRef('VirtualMachine', step.vm.hostKey), step.ref);
      const isReadable = step.vm.instanceUuid !== '';
      const isRenamed = isReadable && record.hostName !== step.vm.name;
      const name = isRenamed ? nameIn(record.parent, escapeName(step.vm.name), step.ref) : record.name;
      const known = isReadable ? identity(step.vm, step.sharesUuid) : { hostKey: step.vm.hostKey };
      const next = { ...record, ...known, name };
      if (!isSameRecord(record, next)) changes.push({ ops: [{ put: step.ref, record: next }] });
      if (name !== record.name) after.push(() => events.vmRenamed(step.ref, record.name, name));
    } else if (step.kind === 'move') {
      const record = inventory.get(step.ref);
      refs.set(moRef('VirtualMachine', step.vm.hostKey), step.ref);
      const isSameOwner = inventory.find(record.host)?.parent.value === owner.value;
      const resourcePool = isSameOwner ? record.resourcePool : rootPool;
      const leaves = !isSameOwner && isApp(record.parent);
      const parent = leaves ? (folderOfApp(inventory, record.parent) as MoRef) : record.parent;
      const name = leaves ? nameIn(parent, record.name, step.ref) : record.name;
      const moved = { ...record, ...identity(step.vm), name, host, parent, resourcePool };
      changes.push({ ops: [{ put: step.ref, record: moved }] });
      after.push(() => events.vmRelocated(step.ref, record.host));
    } else if (step.kind === 'add') {
      const ref = inventory.newRef('VirtualMachine');
      const { instanceUuid, vmPathName } = step.vm;
      const registration = registrationKey(host, vmPathName);
      const created = expected.find(instanceUuid);
      const registered = expected.find(registration);
      // Anybody may ask for a VM with somebody else's UUID; which file it is to be registered from is said by one alone.
      const place = registered ??
        created ?? {
          folder: discoveredFolder(options, changes),
          resourcePool: rootPool,
        };
      fulfilled.push(instanceUuid, registration);
      refs.set(moRef('VirtualMachine', step.vm.hostKey), ref);
      const name = nameIn(place.folder as MoRef, escapeName(step.vm.name));
      const record = newRecord(step, place, host, name);
      changes.push({ ops: [{ put: ref, record }], more: expected.withdrawing([instanceUuid, registration]) });
      after.push(() => {
        if (registered) events.vmRegistered(ref);
        else if (created) events.vmCreated(ref);
        else events.vmDiscovered(ref);
      });
    }
  }
  await inventory.applySteps(changes);
  expected.withdrawn(fulfilled);
  for (const tell of after) tell();
}

function newRecord(
  { vm, sharesUuid }: Extract<VmStep, { kind: 'add' }>,
  { folder, resourcePool }: VmPlace,
  host: MoRef<'HostSystem'>,
  name: string,
): EntityRecord<'VirtualMachine'> {
  return { name, parent: folder as MoRef, host, resourcePool, ...identity(vm, sharesUuid) };
}

/** One that shares its UUID is not known by it. */
function identity({ hostKey, instanceUuid, vmPathName, datastoreUrl, name }: ReportedVm, sharesUuid = false) {
  return { hostKey, instanceUuid: sharesUuid ? '' : instanceUuid, vmPathName, datastoreUrl, hostName: name };
}

function isSameRecord(one: EntityRecord<'VirtualMachine'>, other: EntityRecord<'VirtualMachine'>): boolean {
  return (Object.keys(other) as (keyof EntityRecord<'VirtualMachine'>)[]).every((key) => one[key] === other[key]);
}

/** The datacenter's folder for VMs that were found; made when the first one is. */
function discoveredFolder({ inventory, host }: PlaceVmsOptions, changes: InventoryStep[]): MoRef<'Folder'> {
  const datacenter = inventory.above(host, 'Datacenter') as MoRef<'Datacenter'>;
  const { vmFolder } = inventory.get(datacenter);
  const known = inventory.childNamed(vmFolder, DISCOVERED);
  if (known?.type === 'Folder') return known as MoRef<'Folder'>;
  const planned = changes.find(({ ops: [op] }) => op && 'put' in op && op.put.type === 'Folder')?.ops[0];
  if (planned && 'put' in planned) return planned.put as MoRef<'Folder'>;
  const ref = inventory.newRef('Folder', 'group-v');
  const childType = ['Folder', 'VirtualMachine', 'VirtualApp'];
  const record = { name: inventory.freeName(vmFolder, DISCOVERED), parent: vmFolder, childType, isFixed: false };
  changes.push({ ops: [{ put: ref, record }] });
  return ref;
}
