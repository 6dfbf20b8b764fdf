// Imports of virtual appliances: ResourcePool.ImportVApp makes the VM with empty disks and a lease; the client sends the
// disks to the lease's URLs and completes it. Meanwhile a task runs, and nobody else does anything to the VM. An import that its
// daemon did not live to see the end of is undone at start.
import { type Clock, type Logger, type Random, token } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import {
  type ImportSpec,
  isA,
  MethodFault,
  type MoRef,
  moRef,
  toLocalizedMethodFault,
  type VirtualDevice,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { type Call, descriptionIdOf, type ObjectGraph, type Service } from '@vivarium/vmomi';
import type { Also } from '../vm/vm-registry.ts';
import { importDisks } from './import-disks.ts';
import { ImportLease, newLeaseProperties } from './lease.ts';
import { leaseInfo } from './lease-info.ts';

const DOCUMENT = 'host/import/';

/** Who makes and removes VMs. */
export interface ImportHost {
  /**
   * As CreateVM_Task, without its task. `also` is on disk with the VM, or neither is. From the first moment on the VM refuses
   * requests with TaskInProgress, naming `task`, until the lock is disposed of.
   */
  createVm(
    spec: VirtualMachineConfigSpec,
    pool: MoRef<'ResourcePool'>,
    call: Call,
    how: { readonly also: Also; readonly task: MoRef<'Task'> },
  ): Promise<LockedVm>;
  /** As Destroy_Task; no error when it is gone already. Begun before anybody else gets a turn. */
  destroyVm(vm: MoRef<'VirtualMachine'>): Promise<void>;
}

export interface LockedVm {
  readonly ref: MoRef<'VirtualMachine'>;
  readonly lock: Disposable;
}

export interface ImportsOptions {
  readonly graph: ObjectGraph;
  readonly tasks: Pick<Service['tasks'], 'start'>;
  readonly store: Pick<Store, 'range' | 'batch'>;
  readonly host: ImportHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Where clients reach this daemon; the host part of URLs is theirs to fill in. */
  readonly endpoint: () => { readonly port: number; readonly sslThumbprint: string };
}

export class Imports {
  readonly #options: ImportsOptions;
  readonly #leases = new Map<string, ImportLease>();
  /** Of VMs whose disks are coming. */
  readonly #locks = new Map<string, Disposable>();

  constructor(options: ImportsOptions) {
    this.#options = options;
  }

  /** Removes the VMs of imports that a killed daemon left. Runs once, when the VMs are loaded. */
  async undoAbandoned(): Promise<void> {
    for (const { key } of this.#options.store.range(DOCUMENT)) {
      await this.#discard(moRef('VirtualMachine', key.slice(DOCUMENT.length)));
    }
  }

  /** The lease that a URL names; undefined when there is none. */
  find(leaseToken: string): ImportLease | undefined {
    return this.#leases.get(leaseToken);
  }

  /** ResourcePool.ImportVApp: answers at once, the lease becomes ready when the VM is made. */
  importVApp(pool: MoRef<'ResourcePool'>, spec: ImportSpec, call: Call): MoRef<'HttpNfcLease'> {
    if (!isA('VirtualMachineImportSpec', spec)) throw new MethodFault('NotSupported', {}, 'a host has no vApps');
    const { graph, tasks, random, log, clock } = this.#options;
    let stopFollowing: (() => void) | undefined;
    let tellProgress: ((percent: number) => void) | undefined;
    const over = Promise.withResolvers<void>();
    const lease = new ImportLease(token(random, 24), {
      clock,
      keep: (vm) => this.#settled(vm),
      discard: (vm) => this.#discard(vm),
      progress: (percent) => tellProgress?.(percent),
      ended(error) {
        stopFollowing?.();
        if (error) over.reject(MethodFault.from(error.fault, error.localizedMessage));
        else over.resolve();
      },
      forget: (ended) => this.#forget(ended),
    });
    const cancel = () => void lease.fail(toLocalizedMethodFault(new MethodFault('RequestCanceled')));
    const descriptionId = descriptionIdOf('ResourcePool', 'ImportVApp');
    const task = tasks.start({ entity: pool, descriptionId, call, cancelable: true }, ({ signal, progress }) => {
      tellProgress = progress;
      signal.addEventListener('abort', cancel, { once: true });
      return over.promise;
    });
    const ref = moRef('HttpNfcLease', `haLease-${token(random, 8)}`);
    lease.attach(graph.add(ref, newLeaseProperties, lease.handlers(), { session: call.session }));
    this.#leases.set(lease.token, lease);
    stopFollowing = call.session.onEnd(cancel);
    this.#make(lease, { pool, spec: spec.configSpec, call, task }).catch((error: unknown) => {
      if (!(error instanceof MethodFault)) log.error({ err: error }, 'an import failed');
      return lease.fail(toLocalizedMethodFault(error));
    });
    return ref;
  }

  close(): void {
    for (const lease of this.#leases.values()) lease.close();
  }

  async #make(
    lease: ImportLease,
    {
      pool,
      spec,
      call,
      task,
    }: {
      readonly pool: MoRef<'ResourcePool'>;
      readonly spec: VirtualMachineConfigSpec;
      readonly call: Call;
      readonly task: MoRef<'Task'>;
    },
  ): Promise<void> {
    const { graph, host } = this.#options;
    const also: Also = ({ value }) => [{ put: `${DOCUMENT}${value}`, value: {} }];
    const { ref: vm, lock } = await host.createVm(spec, pool, call, { also, task });
    this.#locks.set(vm.value, lock);
    try {
      if (lease.isOver) return await this.#discard(vm);
      const object = graph.get(vm);
      const name = object.getPath('name');
      const devices = object.getPath('config.hardware.device');
      const disks = importDisks(String(name), Array.isArray(devices) ? (devices as VirtualDevice[]) : []);
      const endpoint = this.#options.endpoint();
      if (lease.ref) lease.ready(vm, disks, leaseInfo({ lease: lease.ref, token: lease.token, vm, disks, endpoint }));
    } catch (error) {
      await this.#discard(vm);
      throw error;
    }
  }

  /** The VM is no import under way any more. */
  async #settled({ value }: MoRef<'VirtualMachine'>): Promise<void> {
    await this.#options.store.batch([{ delete: `${DOCUMENT}${value}` }]);
    this.#unlock(value);
  }

  #unlock(vm: string): void {
    this.#locks.get(vm)?.[Symbol.dispose]();
    this.#locks.delete(vm);
  }

  /** Never throws: a VM that cannot be removed now is removed when the daemon starts again. */
  async #discard(vm: MoRef<'VirtualMachine'>): Promise<void> {
    const { host, log } = this.#options;
    try {
      this.#unlock(vm.value);
      await host.destroyVm(vm);
      await this.#settled(vm);
      log.info({ vm: vm.value }, 'an import came to nothing');
    } catch (error) {
      log.error({ err: error, vm: vm.value }, 'cannot remove the VM of an import that came to nothing');
    }
  }

  #forget(lease: ImportLease): void {
    this.#leases.delete(lease.token);
    if (lease.ref) this.#options.graph.remove(lease.ref);
  }
}
