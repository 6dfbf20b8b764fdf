// Which VMs this host has: creation, registration, removal, and finding everything again after a restart.
//
// A VM is listed exactly when the store has its document. Making one: intent (files to be made) → files → document.
// Removing one: document away and intent (files to be removed), in one batch → files → intent away. Whatever a killed
// hostd leaves half done is therefore finished or undone at the next start, before anybody can ask.
import { mkdir, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from '@vivarium/base/node';
import type { Store } from '@vivarium/store';
import { isA, MethodFault, type VirtualMachineConfigInfo, type VirtualMachineConfigSpec } from '@vivarium/vim';
import { applyConfigSpec } from '@vivarium/vmx';
import { prepare } from './change-config.ts';
import { specEnvironment } from './spec-environment.ts';
import { openVm, type Request, Vm } from './vm.ts';
import { vmEvent } from './vm-events.ts';
import { writeVmx } from './vm-files.ts';
import type { ChangeJournal, VmHost } from './vm-host.ts';

const VM = 'vm/';
const INTENT = 'vm-intent/';
const COUNTER = 'vm-counter';

type Intent =
  /** Undone at start: the files go, unless the VMX names them. `folder` goes too when it is then empty. */
  | { readonly kind: 'make'; readonly vmx: string; readonly files: readonly string[]; readonly folder?: string }
  /** Finished at start. */
  | { readonly kind: 'remove'; readonly vmx: string; readonly files: readonly string[]; readonly folder?: string };

export interface VmRegistryListener {
  added(vm: Vm): void;
  removed(vm: Vm): void;
  /** A registered VM whose files cannot be read: shown as inaccessible. */
  broken(id: string, vmxPath: string, error: unknown): void;
}

export class VmRegistry {
  readonly #host: VmHost;
  readonly #store: Store;
  readonly #listener: VmRegistryListener;
  readonly #vms = new Map<string, Vm>();
  /** VMX paths and folders of creations under way: two cannot make the same VM. */
  readonly #underWay = new Set<string>();
  /** Ids are never used twice. */
  #lastId: number;

  constructor(host: VmHost, store: Store, listener: VmRegistryListener) {
    this.#host = host;
    this.#store = store;
    this.#listener = listener;
    this.#lastId = store.get<number>(COUNTER)?.value ?? 0;
  }

  get all(): readonly Vm[] {
    return [...this.#vms.values()];
  }

  find(id: string): Vm | undefined {
    return this.#vms.get(id);
  }

  /** Cleans up after a killed hostd, then opens every registered VM and takes its machine over again. */
  async load(): Promise<void> {
    for (const document of this.#store.range(INTENT)) await this.#settle(document.key, document.value as Intent);
    const opened = this.#store.range(VM).map(async ({ key, value }) => {
      const id = key.slice(VM.length);
      const { vmx } = value as { vmx: string };
      try {
        const vm = await openVm(this.#host, id, this.#host.paths.resolve(vmx));
        await vm.adopt();
        this.#vms.set(id, vm);
        this.#listener.added(vm);
      } catch (error) {
        this.#host.log.error({ vm: id, vmx, err: error }, 'a registered VM cannot be opened');
        this.#listener.broken(id, vmx, error);
      }
    });
    await Promise.all(opened);
  }

  /** CreateVM: makes the folder, the disks and the VMX, and lists the VM. */
  async create(request: Request, spec: VirtualMachineConfigSpec): Promise<Vm> {
    const host = this.#host;
    const { config, effects } = applyConfigSpec(undefined, spec, specEnvironment(host, 'poweredOff'));
    const namesake = this.all.find((vm) => vm.name === config.name);
    if (namesake) throw new MethodFault('DuplicateName', { name: config.name, object: namesake.ref });
    const vmxPath = vmPath(config);
    const vmxFile = host.paths.resolve(vmxPath);
    const folder = dirname(vmxFile);
    return this.#alone(vmxFile, async () => {
      if (await exists(vmxFile)) throw new MethodFault('FileAlreadyExists', { file: vmxPath });
      const id = await this.#nextId();
      const isNewFolder = !(await exists(folder));
      const files = effects.prepare.flatMap((effect) => (effect.kind === 'createDisk' ? [effect.path] : []));
      await using undo = new AsyncDisposableStack();
      await this.#store.batch([
        {
          put: `${INTENT}${id}`,
          value: intent('make', vmxPath, files, isNewFolder ? host.paths.format(folder) : undefined),
        },
      ]);
      undo.defer(() => this.#settle(`${INTENT}${id}`));
      if (isNewFolder) {
        await mkdir(folder, { mode: 0o755 });
        await syncDirectory(dirname(folder));
      }
      for (const effect of effects.prepare) await prepare({ host, vmm: undefined }, effect, undo);
      request.progress(80);
      await writeVmx(vmxFile, config);
      await this.#list(id, vmxPath);
      undo.move();
      const vm = new Vm(host, id, vmxFile, config);
      this.#publish(vm);
      host.post(vmEvent('VmCreatedEvent', vm.subject, request.userName));
      return vm;
    });
  }

  /** RegisterVM: lists the VM whose VMX is at `vmxPath`. */
  async register(request: Request, vmxPath: string, name: string | undefined): Promise<Vm> {
    const host = this.#host;
    const vmxFile = host.paths.resolve(vmxPath);
    return this.#alone(vmxFile, async () => {
      if (this.all.some((vm) => vm.vmxFile === vmxFile)) {
        throw new MethodFault('AlreadyExists', { name: vmxPath });
      }
      const id = await this.#nextId();
      const vm = await openVm(host, id, vmxFile);
      if (
        this.all.some(
          (other) => other.config.uuid === vm.config.uuid && other.config.instanceUuid === vm.config.instanceUuid,
        )
      ) {
        host.log.warn({ vmx: vmxPath, uuid: vm.config.uuid }, 'another registered VM has the same uuid');
      }
      if (name !== undefined && name !== vm.name) await vm.reconfigure(request, { name });
      await this.#list(id, host.paths.format(vmxFile));
      this.#publish(vm);
      host.post(vmEvent('VmRegisteredEvent', vm.subject, request.userName));
      return vm;
    });
  }

  /** UnregisterVM: the files stay. */
  unregister(request: Request, vm: Vm): Promise<void> {
    return vm.retire('unregister', request, async () => {
      await this.#store.batch([{ delete: `${VM}${vm.id}` }]);
      this.#retract(vm, request);
    });
  }

  /** Destroy: the VM goes with its files. Files in its folder that are not the VM's stay, and so does the folder then. */
  destroy(request: Request, vm: Vm): Promise<void> {
    return vm.retire('destroy', request, async () => {
      const { paths } = this.#host;
      const vmx = paths.format(vm.vmxFile);
      const files = [...diskPaths(vm.config), ...(await ownFiles(vm)).map((file) => paths.format(file))];
      const key = `${INTENT}${vm.id}`;
      await this.#store.batch([
        { delete: `${VM}${vm.id}` },
        { put: key, value: intent('remove', vmx, files, paths.format(vm.folder)) },
      ]);
      this.#retract(vm, request);
      await this.#settle(key);
    });
  }

  /** The journal of reconfigurations, in the same place and form. */
  get journal(): ChangeJournal {
    return {
      begin: async (id, change) => {
        await this.#store.batch([
          { put: `${INTENT}${id}`, value: intent('make', change.vmx, change.files, undefined) },
        ]);
      },
      end: async (id) => {
        await this.#store.batch([{ delete: `${INTENT}${id}` }]);
      },
    };
  }

  /** hostd ends: every guest runs on. */
  release(): void {
    for (const vm of this.all) vm.release();
  }

  async #nextId(): Promise<string> {
    this.#lastId += 1;
    const id = this.#lastId;
    await this.#store.batch([{ put: COUNTER, value: id }]);
    return String(id);
  }

  async #list(id: string, vmx: string): Promise<void> {
    await this.#store.batch([{ put: `${VM}${id}`, value: { vmx } }, { delete: `${INTENT}${id}` }]);
  }

  #publish(vm: Vm): void {
    this.#vms.set(vm.id, vm);
    this.#listener.added(vm);
  }

  #retract(vm: Vm, request: Request): void {
    this.#vms.delete(vm.id);
    this.#host.post(vmEvent('VmRemovedEvent', vm.subject, request.userName));
    this.#listener.removed(vm);
  }

  async #alone<T>(vmxFile: string, work: () => Promise<T>): Promise<T> {
    if (this.#underWay.has(vmxFile)) {
      throw new MethodFault('FileAlreadyExists', { file: this.#host.paths.format(vmxFile) });
    }
    this.#underWay.add(vmxFile);
    try {
      return await work();
    } finally {
      this.#underWay.delete(vmxFile);
    }
  }

  // Undoes a making or finishes a removal, then forgets the intent.
  async #settle(key: string, value = this.#store.get(key)?.value as Intent | undefined): Promise<void> {
    if (!value) return;
    const { paths, disks, log } = this.#host;
    const isListed = this.#store.range(VM).some((document) => (document.value as { vmx: string }).vmx === value.vmx);
    const kept = value.kind === 'make' && isListed ? await this.#namedDisks(value.vmx) : new Set<string>();
    try {
      for (const file of value.files) {
        if (kept.has(file)) continue;
        if (file.endsWith('.vmdk')) await disks.remove(file);
        else await rm(paths.resolve(file), { force: true });
      }
      if (value.kind === 'remove' || !isListed) await rm(paths.resolve(value.vmx), { force: true });
      if (value.folder) await removeIfEmpty(paths.resolve(value.folder));
    } catch (error) {
      log.error(
        { intent: value, err: error },
        'a change that was cut short could not be cleaned up; it is tried again at the next start',
      );
      return;
    }
    await this.#store.batch([{ delete: key }]);
  }

  async #namedDisks(vmx: string): Promise<Set<string>> {
    const vm = await openVm(this.#host, '0', this.#host.paths.resolve(vmx)).catch(() => undefined);
    return new Set(vm ? diskPaths(vm.config) : []);
  }
}

function intent(kind: Intent['kind'], vmx: string, files: readonly string[], folder: string | undefined) {
  return { kind, vmx, files: [...files], ...(folder === undefined ? {} : { folder }) };
}

function vmPath(config: VirtualMachineConfigInfo): string {
  const path = config.files.vmPathName;
  if (!path) throw new MethodFault('InvalidDatastorePath', { datastorePath: '' });
  return path;
}

function diskPaths(config: VirtualMachineConfigInfo): string[] {
  return (config.hardware.device ?? []).flatMap((device) =>
    isA('VirtualDisk', device) && isA('VirtualDeviceFileBackingInfo', device.backing) ? [device.backing.fileName] : [],
  );
}

// The VM's files beside its disks, by the names that it gives them.
async function ownFiles(vm: Vm): Promise<string[]> {
  const stem = basename(vm.vmxFile, '.vmx');
  const names = await readdir(vm.folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(`${stem}.`) || name.startsWith(`${stem}-`) || /^vmware(-\d+)?\.log$/.test(name))
    .filter((name) => /\.(vmx|nvram|vmsd|vmxf|vmss|log)$/.test(name))
    .map((name) => join(vm.folder, name));
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
