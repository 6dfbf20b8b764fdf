// Which VMs this host has: creation, registration, removal, and finding everything again after a restart.
//
// A VM is listed exactly when the store has its document. Making one: intent (files to be made) → files → document.
// Removing one: document away and intent (files to be removed), in one batch → files → intent away. See intents.ts.
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '@vivarium/base/node';
import type { Op, Store } from '@vivarium/store';
import {
  isFault,
  MethodFault,
  type MoRef,
  moRef,
  type VirtualMachineConfigInfo,
  type VirtualMachineConfigSpec,
} from '@vivarium/vim';
import { applyConfigSpec, disconnectForPowerOff } from '@vivarium/vmx';
import { withFileFaults } from '../datastore/file-faults.ts';
import { ROOT_POOL } from '../resource-pool/share-tree.ts';
import { DiskMaking, madeFiles, prepare } from './change-config.ts';
import { configFault } from './driver-fault.ts';
import { type Intent, Intents } from './intents.ts';
import { specEnvironment } from './spec-environment.ts';
import { findSuspendState } from './suspend-state.ts';
import { openVm, type Request, Vm } from './vm.ts';
import { vmBeingCreated, vmEvent } from './vm-events.ts';
import { readVmx, replaceVmx, subjectOf, sweepVmx, writeVmx } from './vm-files.ts';
import type { ChangeJournal, VmHost } from './vm-host.ts';
import { diskPaths, ownFiles } from './vm-paths.ts';

const VM = 'vm/';
const COUNTER = 'vm-counter';
const NOTHING: ReadonlySet<string> = new Set();

/** What the store keeps of a registered VM. */
interface VmDocument {
  /** Datastore path. */
  readonly vmx: string;
}

/** What is noted together with a new VM. */
export type Also = (vm: MoRef<'VirtualMachine'>) => readonly Op[];

export interface CreateOptions {
  readonly pool?: string;
  /** Goes into the batch that lists the VM. */
  readonly also?: Also;
  /** Told before anybody can ask the VM for anything. */
  readonly made?: (vm: Vm) => void;
}

export interface VmRegistryListener {
  /** A VM is listed from now on. CreateVM and RegisterVM wait for what is returned. */
  added(vm: Vm): void | Promise<void>;
  removed(vm: Vm): void;
  /** A registered VM cannot be read: shown as inaccessible, until it is opened after all or unregistered. */
  broken(vm: BrokenVm): void;
  /** It is not shown as inaccessible any more. */
  mended(vm: BrokenVm): void;
}

/** A registered VM whose VMX cannot be read. */
export interface BrokenVm {
  readonly ref: MoRef<'VirtualMachine'>;
  /** Datastore path of its VMX. */
  readonly vmx: string;
  readonly error: unknown;
}

export class VmRegistry {
  readonly #host: VmHost;
  readonly #store: Store;
  readonly #listener: VmRegistryListener;
  readonly #intents: Intents;
  readonly #vms = new Map<string, Vm>();
  readonly #broken = new Map<string, BrokenVm>();
  /** Names that VMs are getting now. */
  readonly #names = new Set<string>();
  /** Ids are never used twice. */
  #lastId: number;

  constructor(host: VmHost, store: Store, listener: VmRegistryListener) {
    this.#host = host;
    this.#store = store;
    this.#listener = listener;
    this.#intents = new Intents(host, store);
    this.#lastId = store.get<number>(COUNTER)?.value ?? 0;
  }

  get all(): readonly Vm[] {
    return [...this.#vms.values()];
  }

  find(id: string): Vm | undefined {
    return this.#vms.get(id);
  }

  /** What the host lists: every registered VM, also those that cannot be read. */
  get refs(): readonly MoRef<'VirtualMachine'>[] {
    return [...this.#vms.values(), ...this.#broken.values()].map(({ ref }) => ref);
  }

  /** The journal of reconfigurations, in the same place and form as that of creations. */
  get journal(): ChangeJournal {
    return this.#intents;
  }

  /** Cleans up after a killed hostd, opens every registered VM and takes its machine over again. */
  async load(): Promise<void> {
    const documents = this.#store
      .range<VmDocument>(VM)
      .map(({ key, value }) => ({ id: key.slice(VM.length), ...value }));
    const opened = await Promise.all(documents.map(({ id, vmx }) => this.#open(id, vmx)));
    const vms = opened.filter((vm) => vm !== undefined);
    await this.#intents.settleAll({
      disks: new Set(vms.flatMap((vm) => diskPaths(vm.config))),
      unreadable: new Set(documents.flatMap(({ vmx }, index) => (opened[index] ? [] : [vmx]))),
    });
    await Promise.all(vms.map((vm) => this.#takeOver(vm)));
  }

  /** Tries again to open a VM that could not be read. Faults: those of readVmx. */
  async reopen(broken: BrokenVm): Promise<void> {
    const { id, vmxFile } = this.#placeOf(broken);
    using _file = this.#intents.claim([broken.vmx]);
    const vm = await openVm(this.#host, id, vmxFile);
    this.#mend(broken);
    await this.#takeOver(vm);
  }

  /** UnregisterVM of a VM that cannot be read. */
  async forget(request: Request, broken: BrokenVm): Promise<void> {
    const { id } = this.#placeOf(broken);
    await this.#store.batch([{ delete: `${VM}${id}` }, ...this.#host.resources.leave(id)]);
    this.#host.resources.forget(id);
    this.#mend(broken);
    const subject = { host: this.#host, ref: broken.ref, name: broken.vmx };
    this.#host.post(vmEvent('VmRemovedEvent', subject, request.userName));
  }

  /** CreateVM: makes the folder, the disks and the VMX, and lists the VM. */
  create(request: Request, spec: VirtualMachineConfigSpec, options: CreateOptions = {}): Promise<Vm> {
    return this.#host.maintenance.admit(() => this.#create(request, spec, options));
  }

  /**
   * RegisterVM: lists the VM whose VMX is at `vmxPath`, in `pool`. Faults: NotFound, AlreadyExists, DuplicateName, InvalidVmConfig …
   */
  register(request: Request, vmxPath: string, name: string | undefined, pool = ROOT_POOL): Promise<Vm> {
    return this.#host.maintenance.admit(() => this.#register(request, vmxPath, name, pool));
  }

  /** ReconfigVM and Rename: `vm.reconfigure`, with a name that no other VM has. */
  async reconfigure(request: Request, vm: Vm, spec: VirtualMachineConfigSpec): Promise<void> {
    const { name } = spec;
    if (name === undefined || name === vm.name) return vm.reconfigure(request, spec);
    const renamed = applyConfigSpec(vm.config, { name }, specEnvironment(this.#host, 'poweredOff')).config;
    using _name = this.#claimName(renamed.name, vm);
    await vm.reconfigure(request, spec);
  }

  /** UnregisterVM: the files stay. */
  unregister(request: Request, vm: Vm): Promise<void> {
    return vm.retire('unregister', request, async () => {
      await this.#store.batch([{ delete: `${VM}${vm.id}` }, ...this.#host.resources.leave(vm.id)]);
      this.#retract(vm, request);
    });
  }

  /**
   * Destroy: the VM goes with its files. Files in its folder that are not the VM's stay, and so does the folder then; so do
   * disks that another VM names.
   */
  destroy(request: Request, vm: Vm): Promise<void> {
    return vm.retire('destroy', request, async () => {
      const { paths } = this.#host;
      const vmx = paths.format(vm.vmxFile);
      using _file = this.#intents.claim([vmx]);
      const kept = new Set(this.all.flatMap((other) => (other === vm ? [] : diskPaths(other.config))));
      const own = (await ownFiles(vm.vmxFile, vm.config)).map(({ file }) => paths.format(file));
      const intent: Intent = {
        kind: 'remove',
        vmx,
        files: [...diskPaths(vm.config), ...own],
        ...(vm.folder === paths.rootOf(vm.vmxFile) ? {} : { folder: paths.format(vm.folder) }),
      };
      const key = this.#intents.newKey(vm.id);
      const leave = this.#host.resources.leave(vm.id);
      await this.#store.batch([{ delete: `${VM}${vm.id}` }, ...leave, { put: key, value: intent }]);
      this.#retract(vm, request);
      await this.#intents.settle(key, intent, kept);
    });
  }

  /** hostd ends: every guest runs on. */
  release(): void {
    for (const vm of this.all) vm.release();
  }

  async #create(request: Request, spec: VirtualMachineConfigSpec, options: CreateOptions): Promise<Vm> {
    const { pool = ROOT_POOL, also = () => [], made } = options;
    const host = this.#host;
    const environment = specEnvironment(host, 'poweredOff');
    const { config, effects } = applyConfigSpec(undefined, spec, {
      ...environment,
      exists: (path) => this.#intents.isClaimed(path) || environment.exists(path),
    });
    const vmx = config.files.vmPathName ?? '';
    const vmxFile = host.paths.resolve(vmx);
    const folder = dirname(vmxFile);
    const files = madeFiles(effects.prepare);
    using _name = this.#claimName(config.name);
    using _files = this.#intents.claim([vmx, host.paths.format(folder), ...files]);
    const isNewFolder = !(await exists(folder));
    const id = await this.#nextId();
    const intent: Intent = {
      kind: 'make',
      vmx,
      files,
      ...(isNewFolder ? { folder: host.paths.format(folder) } : {}),
    };
    const subject = { host, ref: moRef('VirtualMachine', id), name: config.name };
    host.post(vmBeingCreated(subject, spec, request.userName));
    const key = this.#intents.newKey(id);
    await this.#store.batch([{ put: key, value: intent }]);
    const making = new DiskMaking({ host, id, vmxFile }, []);
    try {
      await withFileFaults(subjectOf(host, folder), () => makeFolder(folder, isNewFolder));
      for (const effect of effects.prepare) await prepare({ host, vmm: undefined }, effect, making);
      request.progress(80);
      await writeVmx(host, vmxFile, config);
      await this.#store.batch([...this.#listing(id, vmx, pool), ...also(subject.ref), { delete: key }]);
    } catch (error) {
      host.resources.forget(id);
      // Nothing but what was made here: somebody else may have made the rest meanwhile.
      await this.#intents.settle(key, { ...intent, files: making.made }, NOTHING);
      throw configFault(error);
    }
    const vm = new Vm(host, id, vmxFile, config);
    made?.(vm);
    await this.#publish(vm);
    host.post(vmEvent('VmCreatedEvent', vm.subject, request.userName));
    return vm;
  }

  async #register(request: Request, vmxPath: string, name: string | undefined, pool: string): Promise<Vm> {
    const host = this.#host;
    if (!/\.vmx$/i.test(vmxPath.trim())) throw new MethodFault('InvalidDatastorePath', { datastorePath: vmxPath });
    const vmxFile = host.paths.resolve(vmxPath);
    const vmx = host.paths.format(vmxFile);
    using _file = this.#claimVmx(vmx);
    const found = await readVmx(host, vmxFile).catch((error: unknown) => {
      throw isFault(error, 'FileNotFound') ? new MethodFault('NotFound', {}, `There is no file ${vmx}.`) : error;
    });
    const config = this.#complete(found, name);
    using _name = this.#claimName(config.name);
    if (config !== found) await replaceVmx(host, vmxFile, config, found);
    const id = await this.#nextId();
    try {
      await this.#store.batch(this.#listing(id, vmx, pool));
    } catch (error) {
      host.resources.forget(id);
      throw error;
    }
    for (const broken of this.#broken.values()) if (broken.vmx === vmx) this.#mend(broken);
    const vm = new Vm(host, id, vmxFile, findSuspendState(config) ? config : disconnectForPowerOff(config));
    await this.#publish(vm);
    host.post(vmEvent('VmRegisteredEvent', vm.subject, request.userName));
    return vm;
  }

  async #open(id: string, vmx: string): Promise<Vm | undefined> {
    try {
      const vmxFile = this.#host.paths.resolve(vmx);
      await sweepVmx(vmxFile);
      return await openVm(this.#host, id, vmxFile);
    } catch (error) {
      this.#host.log.error({ vm: id, vmx, err: error }, 'a registered VM cannot be opened');
      const broken = { ref: moRef('VirtualMachine', id), vmx, error };
      this.#broken.set(id, broken);
      this.#listener.broken(broken);
      return undefined;
    }
  }

  async #takeOver(vm: Vm): Promise<void> {
    await vm.adopt().catch((error: unknown) => {
      this.#host.log.error({ vm: vm.id, err: error }, 'it is not known whether a VM runs');
    });
    void this.#publish(vm); // listed at once; what it shows of its files may follow
  }

  #placeOf({ ref, vmx }: BrokenVm): { readonly id: string; readonly vmxFile: string } {
    if (!this.#broken.has(ref.value)) throw new MethodFault('ManagedObjectNotFound', { obj: ref });
    return { id: ref.value, vmxFile: this.#host.paths.resolve(vmx) };
  }

  #mend(broken: BrokenVm): void {
    this.#broken.delete(broken.ref.value);
    this.#listener.mended(broken);
  }

  async #nextId(): Promise<string> {
    this.#lastId += 1;
    const id = this.#lastId;
    await this.#store.batch([{ put: COUNTER, value: id }]);
    return String(id);
  }

  // Together with the document of a VM at the same place that could not be opened any more: this is that VM.
  #listing(id: string, vmx: string, pool: string): Op[] {
    const stale = this.#store.range<VmDocument>(VM).filter(({ value }) => value.vmx === vmx);
    return [
      ...stale.map(({ key }) => ({ delete: key })),
      { put: `${VM}${id}`, value: { vmx } },
      ...this.#host.resources.place(id, pool),
    ];
  }

  async #publish(vm: Vm): Promise<void> {
    this.#vms.set(vm.id, vm);
    try {
      await this.#listener.added(vm);
    } catch (error) {
      this.#host.log.error({ vm: vm.id, err: error }, 'a VM is not shown as it should be');
    }
  }

  #retract(vm: Vm, request: Request): void {
    this.#vms.delete(vm.id);
    this.#host.post(vmEvent('VmRemovedEvent', vm.subject, request.userName));
    this.#listener.removed(vm);
    this.#host.resources.forget(vm.id);
  }

  // What a VM from elsewhere leaves open is settled once, so that its guest finds the same hardware at every start.
  #complete(config: VirtualMachineConfigInfo, name: string | undefined): VirtualMachineConfigInfo {
    const environment = specEnvironment(this.#host, findSuspendState(config) ? 'suspended' : 'poweredOff');
    if (name !== undefined && name !== config.name) return applyConfigSpec(config, { name }, environment).config;
    try {
      return applyConfigSpec(config, {}, environment).config;
    } catch (error) {
      this.#host.log.warn({ vmx: config.files.vmPathName, err: error }, 'a VM from elsewhere cannot run as it is');
      return config;
    }
  }

  #claimVmx(vmx: string): Disposable {
    const isListed = this.all.some((vm) => this.#host.paths.format(vm.vmxFile) === vmx);
    if (isListed || this.#intents.isClaimed(vmx)) throw new MethodFault('AlreadyExists', { name: vmx });
    return this.#intents.claim([vmx]);
  }

  #claimName(name: string, owner?: Vm): Disposable {
    const namesake = this.all.find((vm) => vm !== owner && vm.name === name);
    if (namesake || this.#names.has(name)) {
      const object = namesake?.ref ?? { type: 'VirtualMachine', value: '' };
      throw new MethodFault('DuplicateName', { name, object });
    }
    this.#names.add(name);
    return { [Symbol.dispose]: () => void this.#names.delete(name) };
  }
}

async function makeFolder(folder: string, isNew: boolean): Promise<void> {
  if (!isNew) return;
  await mkdir(folder, { mode: 0o755 });
  await syncDirectory(dirname(folder));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
