// The VirtualMachine object: its methods are its host's, but for what concerns vCenter's own tree.
import { findReservationFault } from '@vivarium/drs/resource-pool';
import {
  type Handlers,
  MethodFault,
  type MoRef,
  make,
  type Properties,
  type VirtualMachineRuntimeInfo,
} from '@vivarium/vim';
import { type Call, descriptionIdOf } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { environmentBrowserOf } from '../host-sync/host-mirror.ts';
import { checkName } from '../inventory/entity-name.ts';
import type { EntityRecord } from '../inventory/entity-records.ts';
import type { EntityFace } from '../publish/publisher.ts';
import { isApp } from '../resource-pool/pool-ref.ts';
import { reservationOf } from '../resource-pool/vm-reservation.ts';
import { whenShown } from '../routing/when-shown.ts';

/** What the VM's host does, and vCenter only passes on. */
const FORWARDED = [
  'AcquireMksTicket',
  'AcquireTicket',
  'AnswerVM',
  'AttachDisk_Task',
  'ConsolidateVMDisks_Task',
  'CreateScreenshot_Task',
  'CreateSnapshotEx_Task',
  'CreateSnapshot_Task',
  'DefragmentAllDisks',
  'Destroy_Task',
  'DetachDisk_Task',
  'DropConnections',
  'ExtractOvfEnvironment',
  'MountToolsInstaller',
  'PowerOffVM_Task',
  'PutUsbScanCodes',
  'QueryChangedDiskAreas',
  'QueryConnections',
  'RebootGuest',
  'ReconfigVM_Task',
  'RefreshStorageInfo',
  'Reload',
  'RemoveAllSnapshots_Task',
  'ResetGuestInformation',
  'ResetVM_Task',
  'RevertToCurrentSnapshot_Task',
  'SendNMI',
  'SetDisplayTopology',
  'SetScreenResolution',
  'ShutdownGuest',
  'StandbyGuest',
  'SuspendVM_Task',
  'TerminateVM',
  'UnmountToolsInstaller',
  'UpgradeTools_Task',
  'UpgradeVM_Task',
] as const;

export function vmFace(center: Center): EntityFace<'VirtualMachine'> {
  const shared = vmMethods(center);
  return {
    // One set of methods for all VMs: they find out by `this` whose they are.
    handlers: (ref) => Object.create(shared, { ref: { value: ref } }) as Handlers<'VirtualMachine', Call>,
    properties: (_ref, record) => unreported(center, record),
    changes: (_ref, record) => ({ ...placeOf(record), resourcePool: record.resourcePool }),
    listings: ({ parent, host, resourcePool }) => [
      ...(isApp(parent) ? [] : [{ owner: parent, property: 'childEntity' }]),
      { owner: host, property: 'vm' },
      { owner: resourcePool, property: 'vm' },
    ],
    reportedListings: (ref) => {
      const vm = center.service.graph.find(ref);
      const owners = [...(vm?.get('datastore') ?? []), ...(vm?.get('network') ?? [])];
      return owners.map((owner) => ({ owner: owner as MoRef, property: 'vm' }));
    },
  };
}

/** While a vApp starts or stops, it alone does these to its VMs. */
const POWER: ReadonlySet<string> = new Set([
  'PowerOffVM_Task',
  'RebootGuest',
  'ResetVM_Task',
  'ShutdownGuest',
  'StandbyGuest',
  'SuspendVM_Task',
]);

/** What changes nothing of the VM, and may be asked for while its disks are arriving. */
const QUESTIONS: ReadonlySet<string> = new Set([
  'AcquireMksTicket',
  'AcquireTicket',
  'ExtractOvfEnvironment',
  'QueryChangedDiskAreas',
  'QueryConnections',
  'RefreshStorageInfo',
]);

/** In a vApp it has no parent. */
function placeOf({ parent }: EntityRecord<'VirtualMachine'>): Properties<'VirtualMachine'> {
  return (isApp(parent) ? { parent: undefined, parentVApp: parent } : { parent, parentVApp: undefined }) as never;
}

interface Own {
  readonly ref: MoRef<'VirtualMachine'>;
}

function vmMethods(center: Center): object {
  const { service, inventory, forwarder, apps, imports } = center;
  const forwarded = FORWARDED.map((method) => [
    method,
    function (this: Own, args: object, call: Call) {
      if (POWER.has(method)) apps.requireCalm(this.ref);
      if (!QUESTIONS.has(method)) imports.requireComplete(this.ref);
      return forwarder.forward(this.ref, inventory.get(this.ref).host, method, args, call);
    },
  ]);
  return {
    ...(Object.fromEntries(forwarded) as object),
    PowerOnVM_Task(this: Own, { host }: { host?: MoRef<'HostSystem'> }, call: Call) {
      const own = inventory.get(this.ref).host;
      // Elsewhere than where it is registered: that is a migration.
      if (host && host.value !== own.value)
        throw new MethodFault('NotSupported', {}, 'cold migration is not built yet');
      return powerOn(center, this.ref, call);
    },
    async UnregisterVM(this: Own, _args: object, call: Call) {
      const { ref } = this;
      imports.requireComplete(ref);
      await forwarder.call(ref, { host: inventory.get(ref).host, method: 'UnregisterVM', args: {} }, call.signal);
      await whenShown(center, () => !inventory.find(ref), call.signal);
    },
    Rename_Task(this: Own, { newName }: { newName: string }, call: Call) {
      const { parent, host } = inventory.get(this.ref);
      const { ref } = this;
      imports.requireComplete(ref);
      const name = checkName(newName);
      inventory.requireFreeName(parent, name, ref);
      const spec = { entity: ref as MoRef, descriptionId: 'VirtualMachine.rename', call, cancelable: true };
      return service.tasks.start(spec, async (handle) => {
        using _promise = inventory.promiseName(parent, name, ref);
        const around = { call, task: handle.ref, signal: handle.signal, progress: handle.progress };
        await forwarder.run(ref, { host, method: 'Rename_Task', args: { newName } }, around);
        await nameAsWanted(center, ref, name);
      });
    },
  };
}

/** Faults: TaskInProgress, in a vApp that starts or stops, or while it is imported; InsufficientResourcesFault. */
export function powerOn(center: Center, vm: MoRef<'VirtualMachine'>, call: Call): MoRef<'Task'> {
  const { service, inventory, forwarder, apps, imports, pools } = center;
  apps.requireCalm(vm);
  imports.requireComplete(vm);
  admit(center, vm);
  const { host } = inventory.get<'VirtualMachine'>(vm);
  const task = { host, method: 'PowerOnVM_Task', args: {} };
  const spec = { entity: vm as MoRef, descriptionId: descriptionIdOf('VirtualMachine', task.method), call };
  return service.tasks.start({ ...spec, cancelable: true }, async ({ ref, signal, progress }) => {
    using _claim = pools.claim(vm);
    return await forwarder.run(vm as MoRef, task, { call, task: ref, signal, progress });
  });
}

/** Where its name had been taken it was called differently here than on its host, which may call it so already. */
function nameAsWanted({ inventory }: Center, vm: MoRef<'VirtualMachine'>, name: string): Promise<void> {
  return inventory.exclusively(async () => {
    const record = inventory.find<'VirtualMachine'>(vm);
    if (record && record.name !== name) await inventory.apply([{ put: vm, record: { ...record, name } }]);
  });
}

/** Fault: InsufficientResourcesFault, when its pool has not left what it reserves. */
function admit({ service, inventory, pools }: Center, vm: MoRef<'VirtualMachine'>): void {
  const summary = service.graph.find(vm)?.get('summary');
  if (summary?.runtime.powerState === 'poweredOn') return; // the host says that it runs already
  const { resourcePool } = inventory.get(vm);
  const fault = findReservationFault(pools.treeOf(resourcePool), resourcePool.value, reservationOf(summary));
  if (fault) throw fault;
}

/** Before its host tells of it, or when it cannot: what the record says. */
function unreported(center: Center, record: EntityRecord<'VirtualMachine'>): Properties<'VirtualMachine'> {
  const owner = center.inventory.get(record.host).parent as MoRef<'ComputeResource'>;
  const runtime: VirtualMachineRuntimeInfo = make('VirtualMachineRuntimeInfo', {
    host: record.host,
    connectionState: 'disconnected',
    powerState: 'poweredOff',
    faultToleranceState: 'notConfigured',
    toolsInstallerMounted: false,
    numMksConnections: 0,
    recordReplayState: 'inactive',
    onlineStandby: false,
    consolidationNeeded: false,
  });
  return {
    environmentBrowser: environmentBrowserOf(owner),
    ...placeOf(record),
    resourcePool: record.resourcePool,
    datastore: [],
    network: [],
    rootSnapshot: [],
    guestHeartbeatStatus: 'gray',
    runtime,
    summary: make('VirtualMachineSummary', {
      runtime,
      config: make('VirtualMachineConfigSummary', {
        name: record.name,
        template: false,
        vmPathName: record.vmPathName,
        instanceUuid: record.instanceUuid,
      }),
      quickStats: make('VirtualMachineQuickStats', { guestHeartbeatStatus: 'gray' }),
      overallStatus: 'gray',
    }),
  } as Properties<'VirtualMachine'>;
}
