// Folder.CreateVM_Task and RegisterVM_Task: chooses a host when none is named, lets it do the work, and puts the VM where its
// creator wants it. Source: vSphere Web Services API, Folder.
import {
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { registrationKey, type VmPlace } from '../host-sync/expected-vms.ts';
import { checkName, plainName } from '../inventory/entity-name.ts';
import { isApp } from '../resource-pool/pool-ref.ts';
import { asReference } from '../routing/as-reference.ts';
import { appAround } from '../virtual-app/app-around.ts';
import { chooseHost } from './choose-host.ts';

const HOST_VM_FOLDER = moRef('Folder', 'ha-folder-vm');
const HOST_ROOT_POOL = moRef('ResourcePool', 'ha-root-pool');

interface Where {
  readonly pool?: MoRef<'ResourcePool'> | undefined;
  readonly host?: MoRef<'HostSystem'> | undefined;
}

export function createVm(
  center: Center,
  container: MoRef<'Folder' | 'VirtualApp'>,
  { config, ...where }: Where & { readonly config: VirtualMachineConfigSpec },
  call: Call,
): MoRef<'Task'> {
  const resourcePool = poolOf(center, where);
  const folder = appAround(center.inventory, resourcePool) ?? container;
  const name = requireName(center, folder, config.name ?? '');
  const spec = make('VirtualMachineConfigSpec', { ...config, instanceUuid: config.instanceUuid ?? center.newUuid() });
  return center.service.tasks.start(
    { entity: container as MoRef, descriptionId: `${ownerOf(container)}.createVm`, call, cancelable: true },
    async (task) => {
      using _promise = center.inventory.promiseName(folder, name);
      const host = chooseHost(center, { pool: resourcePool, host: where.host, spec });
      center.service.events.post(
        {
          _typeName: 'VmBeingCreatedEvent',
          vm: make('VmEventArgument', { name: plainName(name), vm: moRef('VirtualMachine', '') }),
          configSpec: spec,
          template: false,
        },
        call,
      );
      const args = { config: spec, pool: HOST_ROOT_POOL };
      return await settle(center, { folder, resourcePool }, spec.instanceUuid ?? '', async () => {
        const { refs } = center.hosts.connected(host).mirror;
        const local = { ...(refs.toHost({ config: args.config }) as object), pool: HOST_ROOT_POOL };
        return runOnHost(center, host, 'CreateVM_Task', local, { call, task });
      });
    },
  );
}

export function registerVm(
  center: Center,
  container: MoRef<'Folder' | 'VirtualApp'>,
  args: Where & { readonly path: string; readonly name?: string | undefined; readonly asTemplate: boolean },
  call: Call,
): MoRef<'Task'> {
  if (args.asTemplate) throw new MethodFault('NotSupported', {}, 'templates are not built yet');
  const resourcePool = poolOf(center, args);
  const folder = appAround(center.inventory, resourcePool) ?? container;
  const name = args.name === undefined ? undefined : requireName(center, folder, args.name);
  return center.service.tasks.start(
    { entity: container as MoRef, descriptionId: `${ownerOf(container)}.registerVm`, call, cancelable: true },
    async (task) => {
      using _promise = name === undefined ? undefined : center.inventory.promiseName(folder, name);
      const files = make('VirtualMachineFileInfo', { vmPathName: args.path });
      const spec = make('VirtualMachineConfigSpec', { files });
      const host = chooseHost(center, { pool: resourcePool, host: args.host, spec });
      const { refs } = center.hosts.connected(host).mirror;
      const path = refs.toHost(args.path);
      const local = {
        path,
        asTemplate: false,
        pool: HOST_ROOT_POOL,
        ...(args.name === undefined ? {} : { name: args.name }),
      };
      return await settle(center, { folder, resourcePool }, registrationKey(host, path), () =>
        runOnHost(center, host, 'RegisterVM_Task', local, { call, task }),
      );
    },
  );
}

/** `work` makes the VM on a host; it comes into the inventory where `place` says. */
async function settle(center: Center, place: VmPlace, key: string, work: () => Promise<unknown>): Promise<object> {
  await center.expected.expect(key, place);
  try {
    return asReference((await work()) as ManagedObjectReference);
  } finally {
    await center.expected.forget(key);
  }
}

/** Already in the host's words; the result in ours. */
async function runOnHost(
  center: Center,
  host: MoRef<'HostSystem'>,
  method: string,
  args: object,
  {
    call,
    task,
  }: {
    readonly call: Call;
    readonly task: { readonly ref: MoRef<'Task'>; readonly signal: AbortSignal; progress(percent: number): void };
  },
): Promise<unknown> {
  return center.forwarder.runLocal(host, HOST_VM_FOLDER, method, args, {
    call,
    task: task.ref,
    signal: task.signal,
    progress: (percent) => task.progress(percent),
  });
}

/** Whose method it was. */
function ownerOf(container: MoRef<'Folder' | 'VirtualApp'>): 'Folder' | 'ResourcePool' {
  return isApp(container) ? 'ResourcePool' : 'Folder';
}

/** The escaped name. Faults: NotSupported, InvalidName, DuplicateName. */
function requireName({ inventory }: Center, folder: MoRef<'Folder' | 'VirtualApp'>, wanted: string): string {
  if (!isApp(folder) && !inventory.get<'Folder'>(folder as MoRef<'Folder'>).childType.includes('VirtualMachine')) {
    throw new MethodFault('NotSupported', {}, 'this folder does not hold virtual machines');
  }
  const name = checkName(wanted);
  inventory.requireFreeName(folder, name);
  return name;
}

/** Fault: InvalidArgument without any place. */
function poolOf({ inventory }: Center, { pool, host }: Where): MoRef<'ResourcePool'> {
  if (pool) {
    inventory.get(pool);
    return pool;
  }
  if (!host) throw new MethodFault('InvalidArgument', { invalidProperty: 'pool' });
  return inventory.get(inventory.get(host).parent as MoRef<'ComputeResource'>).resourcePool;
}
