// Imports of virtual appliances: ResourcePool.ImportVApp makes the VM with empty disks and a lease; the client sends the
// disks to the lease's URLs and completes it. An import that its daemon did not live to see the end of is undone at start.
import { type Clock, type Logger, type Random, token } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import {
  type HttpNfcLeaseInfo,
  type ImportSpec,
  isA,
  MethodFault,
  type MoRef,
  make,
  moRef,
  toLocalizedMethodFault,
  type VirtualDevice,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import type { Call, ObjectGraph } from '@vivarium/vmomi';
import { type ImportDisk, importDisks } from './import-disks.ts';
import { ImportLease, LEASE_TIMEOUT_SECONDS, newLeaseProperties } from './lease.ts';

const DOCUMENT = 'host/import/';

/** Who makes and removes VMs. */
export interface ImportHost {
  /** As CreateVM_Task, without its task. */
  createVm(spec: VirtualMachineConfigSpec, pool: MoRef<'ResourcePool'>, call: Call): Promise<MoRef<'VirtualMachine'>>;
  /** As Destroy_Task; no error when it is gone already. */
  destroyVm(vm: MoRef<'VirtualMachine'>): Promise<void>;
}

export interface ImportsOptions {
  readonly graph: ObjectGraph;
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

  constructor(options: ImportsOptions) {
    this.#options = options;
  }

  /** Removes the VMs of imports that a killed daemon left. Runs once, when the VMs are loaded. */
  async undoAbandoned(): Promise<void> {
    const { store, host, log } = this.#options;
    for (const { key } of store.range(DOCUMENT)) {
      const vm = moRef('VirtualMachine', key.slice(DOCUMENT.length));
      try {
        await host.destroyVm(vm);
        await store.batch([{ delete: key }]);
        log.info({ vm: vm.value }, 'removed the VM of an abandoned import');
      } catch (error) {
        log.error({ err: error, vm: vm.value }, 'cannot remove the VM of an abandoned import');
      }
    }
  }

  /** The lease that a URL names; undefined when there is none. */
  find(leaseToken: string): ImportLease | undefined {
    return this.#leases.get(leaseToken);
  }

  /** ResourcePool.ImportVApp: answers at once, the lease becomes ready when the VM is made. */
  importVApp(pool: MoRef<'ResourcePool'>, spec: ImportSpec, call: Call): MoRef<'HttpNfcLease'> {
    if (!isA('VirtualMachineImportSpec', spec)) throw new MethodFault('NotSupported', {}, 'a host has no vApps');
    const { graph, random, log, clock, host } = this.#options;
    const lease = new ImportLease(token(random, 24), {
      clock,
      log,
      discard: (vm) => host.destroyVm(vm),
      ended: (over) => this.#settle(over),
      forget: (over) => this.#forget(over),
    });
    const ref = moRef('HttpNfcLease', `haLease-${token(random, 8)}`);
    lease.attach(graph.add(ref, newLeaseProperties, lease.handlers(), { session: call.session }));
    this.#leases.set(lease.token, lease);
    call.session.onEnd(() => void lease.fail(toLocalizedMethodFault(new MethodFault('RequestCanceled'))));
    this.#make(lease, pool, spec.configSpec, call).catch((error: unknown) => {
      if (!(error instanceof MethodFault)) log.error({ err: error }, 'an import failed');
      return lease.fail(toLocalizedMethodFault(error));
    });
    return ref;
  }

  close(): void {
    for (const lease of this.#leases.values()) lease.close();
  }

  readonly #vms = new Map<ImportLease, MoRef<'VirtualMachine'>>();

  async #make(
    lease: ImportLease,
    pool: MoRef<'ResourcePool'>,
    spec: VirtualMachineConfigSpec,
    call: Call,
  ): Promise<void> {
    const { graph, host, store } = this.#options;
    const vm = await host.createVm(spec, pool, call);
    this.#vms.set(lease, vm);
    await store.batch([{ put: `${DOCUMENT}${vm.value}`, value: {} }]);
    const object = graph.get(vm);
    const name = object.getPath('name');
    const devices = object.getPath('config.hardware.device');
    const disks = importDisks(String(name), Array.isArray(devices) ? (devices as VirtualDevice[]) : []);
    if (lease.ref) lease.ready(vm, disks, this.#info(lease, lease.ref, vm, disks));
  }

  #info(
    lease: ImportLease,
    ref: MoRef<'HttpNfcLease'>,
    vm: MoRef<'VirtualMachine'>,
    disks: readonly ImportDisk[],
  ): HttpNfcLeaseInfo {
    const { port, sslThumbprint } = this.#options.endpoint();
    // Clients put the host that they know in the place of `*`; those that do so by text keep the port.
    const base = `https://*${port === 443 ? '' : `:${port}`}/nfc/${lease.token}`;
    return make('HttpNfcLeaseInfo', {
      lease: ref,
      entity: vm,
      deviceUrl: disks.map(({ importKey, deviceKey, fileName, path }) =>
        make('HttpNfcLeaseDeviceUrl', {
          key: `/${vm.value}/${deviceKey}`,
          importKey,
          url: `${base}/${fileName}`,
          sslThumbprint,
          disk: true,
          targetId: fileName,
          datastoreKey: /^\[([^\]]*)\]/.exec(path)?.[1],
        }),
      ),
      totalDiskCapacityInKB: disks.reduce((sum, { capacityBytes }) => sum + capacityBytes / 1024, 0),
      leaseTimeout: LEASE_TIMEOUT_SECONDS,
    });
  }

  async #settle(lease: ImportLease): Promise<void> {
    const vm = this.#vms.get(lease);
    this.#vms.delete(lease);
    if (vm) await this.#options.store.batch([{ delete: `${DOCUMENT}${vm.value}` }]);
  }

  #forget(lease: ImportLease): void {
    this.#leases.delete(lease.token);
    if (lease.ref) this.#options.graph.remove(lease.ref);
  }
}
