// The datastores of a simulated host: which it mounts, and where in them the files of its VMs are.
import { type Clock, dateTime, type Random } from '@vivarium/base';
import type { FolderAnswer, FolderRequest, HostUpdate } from '@vivarium/vcenter';
import {
  box,
  isA,
  type ManagedObjectReference,
  MethodFault,
  moRef,
  type VirtualDiskFlatVer2BackingInfo,
  type VirtualMachineConfigInfo,
} from '@vivarium/vim';
import type { DiskProvisioning } from '@vivarium/vmx';
import { type FileWorld, fileMethod } from './file-methods.ts';
import { folderRequest } from './folder-request.ts';
import { newDatastore } from './new-datastore.ts';
import { datastoreProperties, datastoreRef, type SimDatastore } from './sim-datastore.ts';
import { parentOf, type SimEntry, type SimFiles } from './sim-files.ts';
import { entered, left, modified } from './sim-news.ts';
import { disksOf, HOST } from './sim-vm.ts';

export interface SimStorageOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly datastores: readonly SimDatastore[];
  /** The files of a datastore that comes over the network, by where it is: all hosts see the same. */
  readonly sharedFiles: (name: string, url: string) => SimFiles;
  /** The host's VMs. Paths are datastore paths. */
  readonly users: {
    configOf(path: string): VirtualMachineConfigInfo | undefined;
    isHeld(path: string): boolean;
    isOn(datastore: string): boolean;
  };
  /** One datastore is like this now. `isAnother`: it has come or gone. */
  readonly changed: (update: HostUpdate, isAnother: boolean) => void;
}

type Args = Readonly<Record<string, unknown>>;

/** Of a datastore that is made later. */
const DATASTORE_BYTES = 2 ** 40;

export class SimStorage {
  readonly #options: SimStorageOptions;
  #datastores: readonly SimDatastore[];
  /** Of each datastore: its files are not in use by this host any more. */
  readonly #release = new Map<string, () => void>();

  constructor(options: SimStorageOptions) {
    this.#options = options;
    this.#datastores = options.datastores;
    for (const datastore of this.#datastores) this.#use(datastore);
  }

  get datastores(): readonly SimDatastore[] {
    return this.#datastores;
  }

  properties(datastore: SimDatastore) {
    return datastoreProperties(datastore, HOST, dateTime(this.#options.clock));
  }

  /** What is at a path as a configuration has it. */
  find(text: string): SimEntry | undefined {
    const place = this.place(text);
    return place?.files.find(place.path);
  }

  /** `[datastore] path`; undefined when the host does not mount the datastore. */
  place(text: string): { readonly files: SimFiles; readonly path: string } | undefined {
    const [, name = '', path = ''] = /^\[([^\]]*)\] ?(.*)$/s.exec(text) ?? [];
    const files = this.#filesOf(name);
    return files && { files, path };
  }

  /** The .vmx of a VM: `config` when no host has it registered. */
  putVmx(text: string, config: VirtualMachineConfigInfo | undefined): void {
    this.#put(text, { kind: 'vmx', modifiedMs: this.#options.clock.now(), config });
  }

  /** Makes the disks of a configuration that are not there, and as large as it says. */
  keepDisks(config: VirtualMachineConfigInfo): void {
    const modifiedMs = this.#options.clock.now();
    for (const { backing, capacityInKB } of disksOf(config)) {
      if (!isA('VirtualDiskFlatVer2BackingInfo', backing)) continue;
      const capacityBytes = capacityInKB * 1024;
      const known = this.find(backing.fileName);
      if (known?.kind === 'disk' && known.disk.capacityBytes === capacityBytes) continue;
      const provisioning = provisioningOf(backing);
      const disk = { capacityBytes, provisioning, adapter: 'lsilogic', uuid: backing.uuid ?? '' } as const;
      this.#put(backing.fileName, {
        kind: 'disk',
        modifiedMs,
        disk: known?.kind === 'disk' ? { ...known.disk, capacityBytes } : disk,
      });
    }
  }

  /** With everything below; what is not there stays away. */
  drop(text: string): void {
    const place = this.place(text);
    if (place?.files.find(place.path)) place.files.remove(place.path);
  }

  /** The folder that a file was in, when there is nothing in it. */
  dropFolderOf(text: string): void {
    const place = this.place(text);
    if (place) place.files.removeIfEmpty(parentOf(place.path));
  }

  /** What the /folder door does on a real host. */
  folder(request: FolderRequest): Promise<FolderAnswer> {
    return folderRequest(this.#fileWorld(), request);
  }

  /** A method of FileManager, VirtualDiskManager or HostDatastoreBrowser. */
  fileMethod(type: string, method: string, args: Record<string, unknown>): unknown {
    const run = fileMethod(type, method);
    if (!run) throw new MethodFault('NotSupported');
    return run(this.#fileWorld(), args);
  }

  /** A method of HostDatastoreSystem. Faults: DuplicateName, InvalidName, NotFound, ResourceInUse, NotSupported. */
  systemMethod(method: string, args: Args): unknown {
    if (method === 'QueryAvailableDisksForVmfs' || method === 'QueryUnresolvedVmfsVolumes') return [];
    if (method === 'RemoveDatastore') return this.#unmount((args['datastore'] as ManagedObjectReference).value);
    const { random, sharedFiles } = this.#options;
    const made = newDatastore(method, args, { random, capacityBytes: DATASTORE_BYTES, sharedFiles });
    if (!made) throw new MethodFault('NotSupported');
    const ref = datastoreRef(made);
    if (this.#filesOf(made.name)) throw new MethodFault('DuplicateName', { name: made.name, object: ref });
    this.#datastores = [...this.#datastores, made];
    this.#use(made);
    this.#options.changed(entered(ref, this.properties(made)), true);
    return box('ManagedObjectReference', ref);
  }

  /** A method of a Datastore. Faults: ManagedObjectNotFound, ResourceInUse, NotSupported. */
  datastoreMethod(name: string, method: string): unknown {
    const datastore = this.#datastores.find((one) => one.name === name);
    if (!datastore) throw new MethodFault('ManagedObjectNotFound', { obj: moRef('Datastore', name) });
    switch (method) {
      case 'RefreshDatastore':
      case 'RefreshDatastoreStorageInfo': {
        const update = modified(datastoreRef(datastore), this.properties(datastore), ['summary', 'info']);
        return this.#options.changed(update, false);
      }
      case 'DestroyDatastore':
      case 'Destroy_Task':
        return this.#unmount(name);
      case 'RenameDatastore':
      case 'Rename_Task':
        // Configurations name their files by its name, on every host that mounts it.
        throw new MethodFault('NotSupported', {}, 'a simulated datastore keeps its name');
      default:
        throw new MethodFault('NotSupported');
    }
  }

  #use({ name, files }: SimDatastore): void {
    const { users } = this.#options;
    const release = files.addUser({
      configOf: (path) => users.configOf(`[${name}] ${path}`),
      isHeld: (path) => users.isHeld(`[${name}] ${path}`),
    });
    this.#release.set(name, release);
  }

  #unmount(name: string): void {
    if (!this.#filesOf(name)) throw new MethodFault('NotFound');
    if (this.#options.users.isOn(name)) throw new MethodFault('ResourceInUse', { type: 'Datastore', name });
    this.#datastores = this.#datastores.filter((one) => one.name !== name);
    this.#release.get(name)?.();
    this.#release.delete(name);
    this.#options.changed(left(moRef('Datastore', name)), true);
  }

  #put(text: string, entry: SimEntry): void {
    const place = this.place(text);
    if (place) place.files.putDeep(place.path, entry);
  }

  #fileWorld(): FileWorld {
    const { clock, random } = this.#options;
    return { nowMs: clock.now(), random, filesOf: (name) => this.#filesOf(name) };
  }

  #filesOf(datastore: string): SimFiles | undefined {
    return this.#datastores.find(({ name }) => name === datastore)?.files;
  }
}

function provisioningOf({ thinProvisioned, eagerlyScrub }: VirtualDiskFlatVer2BackingInfo): DiskProvisioning {
  if (thinProvisioned) return 'thin';
  return eagerlyScrub ? 'eagerZeroedThick' : 'lazyZeroedThick';
}
