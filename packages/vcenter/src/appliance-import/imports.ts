// ResourcePool.ImportVApp on vCenter: a host makes the VM and takes its disks; the lease that clients see stands for the host's,
// and its URLs lead here, from where the bytes are passed on.
import { token } from '@vivarium/base';
import {
  type ImportSpec,
  isA,
  type ManagedObjectReference,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { type Call, descriptionIdOf } from '@vivarium/vmomi';
import type { Center } from '../center.ts';
import { checkName } from '../inventory/entity-name.ts';
import { whenShown } from '../routing/when-shown.ts';
import { appAround } from '../virtual-app/app-around.ts';
import { chooseHost } from '../virtual-machine/choose-host.ts';
import { ImportLease } from './import-lease.ts';

const HOST_ROOT_POOL = moRef('ResourcePool', 'ha-root-pool');
/** Imports at once. */
const MOST_LEASES = 200;
/** A lease that has ended can be looked at so long. */
const SHOWN_AFTER_END_MS = 5 * 60_000;

type Container = MoRef<'Folder' | 'VirtualApp'>;

interface ImportArgs {
  readonly spec: ImportSpec;
  readonly folder?: MoRef<'Folder'> | undefined;
  readonly host?: MoRef<'HostSystem'> | undefined;
}

export class Imports {
  readonly #leases = new Map<string, ImportLease>();
  readonly #door: string;

  /** `scheme`: how clients reach vCenter. */
  constructor(scheme: 'https' | 'http') {
    this.#door = `${scheme}://*`;
  }

  /** The lease that a URL names; undefined when there is none. */
  find(leaseToken: string): ImportLease | undefined {
    return this.#leases.get(leaseToken);
  }

  /** Fault: TaskInProgress, while the VM's disks are arriving. Its host refuses as well, also when vCenter has forgotten the import. */
  requireComplete(vm: MoRef<'VirtualMachine'>): void {
    for (const lease of this.#leases.values()) lease.requireNotOf(vm);
  }

  /** Answers at once. Faults: NotSupported (a vApp), DuplicateName, InvalidName, NoPermission, LimitExceeded, those of chooseHost. */
  importVApp(center: Center, pool: MoRef<'ResourcePool'>, args: ImportArgs, call: Call): MoRef<'HttpNfcLease'> {
    const { inventory, service } = center;
    if (!isA('VirtualMachineImportSpec', args.spec))
      throw new MethodFault('NotSupported', {}, 'only single VMs are imported');
    if (this.#leases.size >= MOST_LEASES)
      throw new MethodFault('LimitExceeded', { property: 'lease', limit: MOST_LEASES });
    const container = containerFor(center, pool, args.folder, call);
    const { configSpec } = args.spec;
    inventory.requireFreeName(container, checkName(configSpec.name ?? ''));
    const spec = make('VirtualMachineConfigSpec', {
      ...configSpec,
      instanceUuid: configSpec.instanceUuid ?? center.newUuid(),
    });
    const host = chooseHost(center, { pool, host: args.host, spec });
    const lease = new ImportLease(token(service.random, 24), this.#door);
    const ref = moRef('HttpNfcLease', `session[${token(service.random, 8)}]`);
    lease.attach(service.graph.add(ref, newLease, lease.handlers(), { session: call.session }));
    this.#leases.set(lease.token, lease);
    const forgetSession = call.session.onEnd(() => lease.abort());
    const descriptionId = descriptionIdOf('ResourcePool', 'ImportVApp');
    service.tasks.start({ entity: pool as MoRef, descriptionId, call, cancelable: true }, (task) => lease.carry(task));
    this.#run(center, lease, { host, spec, place: { folder: container, resourcePool: pool } })
      .catch((error: unknown) => {
        if (!(error instanceof MethodFault)) center.log.error({ err: error }, 'an import failed');
        lease.failed(error);
      })
      .finally(() => {
        forgetSession();
        center.clock.setTimer(SHOWN_AFTER_END_MS, () => {
          this.#leases.delete(lease.token);
          service.graph.remove(ref);
        });
      });
    return ref;
  }

  async #run(
    center: Center,
    lease: ImportLease,
    {
      host,
      spec,
      place,
    }: {
      host: MoRef<'HostSystem'>;
      spec: VirtualMachineConfigSpec;
      place: { folder: Container; resourcePool: MoRef<'ResourcePool'> };
    },
  ): Promise<void> {
    const { expected, hosts } = center;
    const key = spec.instanceUuid ?? '';
    await expected.expect(key, place);
    try {
      const { link, mirror } = hosts.connected(host);
      const importSpec = make('VirtualMachineImportSpec', { configSpec: mirror.refs.toHost(spec) });
      const local = (await link.call(HOST_ROOT_POOL, 'ImportVApp', { spec: importSpec }).catch((error: unknown) => {
        throw error instanceof MethodFault ? mirror.refs.faultToCenter(error) : error;
      })) as ManagedObjectReference;
      await lease.follow({
        link,
        local,
        refs: mirror.refs,
        whenShown: (isShown, over) => whenShown(center, isShown, over),
      });
    } finally {
      await expected.forget(key);
    }
  }
}

/** The vApp around the pool, the folder, or the datacenter's own. */
function containerFor(
  { inventory, service }: Center,
  pool: MoRef<'ResourcePool'>,
  folder: MoRef<'Folder'> | undefined,
  call: Call,
): Container {
  inventory.get(pool);
  const app = appAround(inventory, pool);
  if (app) return app;
  const datacenter = inventory.above(pool, 'Datacenter') as MoRef<'Datacenter'>;
  const chosen = folder ?? inventory.get<'Datacenter'>(datacenter).vmFolder;
  const isSuitable = inventory.get<'Folder'>(chosen).childType.includes('VirtualMachine');
  if (!isSuitable || inventory.above(chosen, 'Datacenter')?.value !== datacenter.value) {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'folder' });
  }
  service.authorization.check(call.session, service.graph.get(chosen) as never, 'VApp.Import');
  return chosen;
}

const newLease = {
  initializeProgress: 0,
  transferProgress: 0,
  mode: 'pushOrGet',
  capabilities: make('HttpNfcLeaseCapabilities', { pullModeSupported: false, corsSupported: false }),
  state: 'initializing',
} as const;
