// The files of one simulated datastore: names, what virtual disks are like, and the contents of small files. Shared by the hosts
// that mount it. Kept flat, by path, so that tens of thousands of VMs cost little; only listing looks at all of them.
import { MethodFault, type VirtualMachineConfigInfo } from '@vivarium/vim';
import type { DiskAdapter, DiskProvisioning } from '@vivarium/vmx';

export interface SimDisk {
  readonly capacityBytes: number;
  readonly provisioning: DiskProvisioning;
  readonly adapter: DiskAdapter;
  /** 32 hex digits, with or without dashes. */
  readonly uuid: string;
}

export type SimEntry = { readonly modifiedMs: number } & (
  | { readonly kind: 'folder' }
  | { readonly kind: 'file'; readonly content: Uint8Array }
  | { readonly kind: 'disk'; readonly disk: SimDisk }
  /** A VM's configuration; `config` while no host has the VM registered. */
  | { readonly kind: 'vmx'; readonly config: VirtualMachineConfigInfo | undefined }
);

/** A host, as its files are in use by its VMs. */
export interface FileUser {
  /** Of the registered VM whose .vmx this is. */
  configOf(path: string): VirtualMachineConfigInfo | undefined;
  /** A VM that runs holds it. */
  isHeld(path: string): boolean;
}

/** Of all contents together, in bytes: what is uploaded stays in memory. */
const MOST_CONTENT = 256 * 2 ** 20;
const MOST_FILES = 2_000_000;
const THICK: readonly DiskProvisioning[] = ['eagerZeroedThick', 'lazyZeroedThick'];

export class SimFiles {
  /** As hosts call it. */
  readonly name: string;
  readonly #entries = new Map<string, SimEntry>();
  readonly #users = new Set<FileUser>();
  #contentBytes = 0;
  #diskBytes = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** A host mounts the datastore, until it calls what is returned. */
  addUser(user: FileUser): () => void {
    this.#users.add(user);
    return () => void this.#users.delete(user);
  }

  /** What disks and files take. A thin disk is a tenth full. */
  get usedBytes(): number {
    return this.#contentBytes + this.#diskBytes;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  text(path: string): string {
    return path === '' ? `[${this.name}]` : `[${this.name}] ${path}`;
  }

  find(path: string): SimEntry | undefined {
    return this.#entries.get(path);
  }

  isFolder(path: string): boolean {
    return path === '' || this.find(path)?.kind === 'folder';
  }

  /** Fault: FileNotFound. */
  get(path: string): SimEntry {
    const entry = this.find(path);
    if (!entry) throw this.#fault('FileNotFound', path);
    return entry;
  }

  /** The configuration that a .vmx has now. */
  configOf(path: string): VirtualMachineConfigInfo | undefined {
    const entry = this.find(path);
    if (entry?.kind !== 'vmx') return undefined;
    if (entry.config) return entry.config;
    for (const user of this.#users) {
      const config = user.configOf(path);
      if (config) return config;
    }
    return undefined;
  }

  /** Puts an entry where its folder is. What is there is written over. Faults: FileNotFound (no such folder), NoDiskSpace, FileLocked. */
  put(path: string, entry: SimEntry): void {
    if (!this.isFolder(parentOf(path))) throw this.#fault('FileNotFound', parentOf(path));
    const bytes = contentBytes(entry) - contentBytes(this.find(path));
    if (this.#contentBytes + bytes > MOST_CONTENT || this.#entries.size >= MOST_FILES) {
      throw new MethodFault('NoDiskSpace', { file: this.text(path), datastore: this.name });
    }
    this.#drop(path);
    this.#entries.set(path, entry);
    this.#contentBytes += contentBytes(entry);
    this.#diskBytes += diskBytes(entry);
  }

  /** As put, with the folders that are missing. */
  putDeep(path: string, entry: SimEntry): void {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at);
      if (!this.find(folder)) this.put(folder, { kind: 'folder', modifiedMs: entry.modifiedMs });
    }
    this.put(path, entry);
  }

  /** With everything below. Faults: FileNotFound, FileLocked. */
  remove(path: string): void {
    const entry = this.get(path);
    const paths = entry.kind === 'folder' ? [path, ...this.below(path)] : [path];
    for (const one of paths) this.requireFree(one);
    for (const one of paths) this.#drop(one);
  }

  /** An empty folder goes, whatever else stays. */
  removeIfEmpty(folder: string): void {
    if (this.find(folder)?.kind === 'folder' && this.below(folder).length === 0) this.#drop(folder);
  }

  /** Copies what is there, or moves it. Faults: FileNotFound, FileAlreadyExists, FileLocked, InvalidArgument (a folder into itself). */
  transfer(
    path: string,
    to: { readonly files: SimFiles; readonly path: string },
    options: { readonly mayReplace: boolean; readonly isMove: boolean },
  ): void {
    const entry = this.get(path);
    if (to.files === this && to.path === path) return;
    if (to.files === this && to.path.startsWith(`${path}/`)) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'destinationName' });
    }
    const paths = entry.kind === 'folder' ? [path, ...this.below(path)] : [path];
    if (options.isMove) for (const one of paths) this.requireFree(one);
    const there = to.files.find(to.path);
    if (there) {
      if (!options.mayReplace || there.kind === 'folder' || entry.kind === 'folder') {
        throw to.files.#fault('FileAlreadyExists', to.path);
      }
      to.files.requireFree(to.path);
    }
    for (const one of paths) {
      const found = this.get(one);
      // A copy of a VM's .vmx is a file of its own.
      const kept = found.kind === 'vmx' ? { ...found, config: this.configOf(one) } : found;
      to.files.put(to.path + one.slice(path.length), kept);
    }
    if (options.isMove) for (const one of paths) this.#drop(one);
  }

  /** Fault: FileLocked, while a VM that runs has it. */
  requireFree(path: string): void {
    for (const user of this.#users) if (user.isHeld(path)) throw this.#fault('FileLocked', path);
  }

  /** Paths below a folder, in no order. */
  below(folder: string): string[] {
    const prefix = folder === '' ? '' : `${folder}/`;
    return [...this.#entries.keys()].filter((path) => path.startsWith(prefix) && path !== folder);
  }

  /** Names in a folder with what they are. Fault: FileNotFound. */
  list(folder: string): (readonly [name: string, entry: SimEntry])[] {
    if (!this.isFolder(folder)) throw this.#fault('FileNotFound', folder);
    const start = folder === '' ? 0 : folder.length + 1;
    const found: (readonly [string, SimEntry])[] = [];
    for (const [path, entry] of this.#entries) {
      if (folder !== '' && !path.startsWith(`${folder}/`)) continue;
      if (!path.includes('/', start)) found.push([path.slice(start), entry]);
    }
    return found;
  }

  #drop(path: string): void {
    const former = this.#entries.get(path);
    if (!former) return;
    this.#entries.delete(path);
    this.#contentBytes -= contentBytes(former);
    this.#diskBytes -= diskBytes(former);
  }

  #fault(type: 'FileNotFound' | 'FileAlreadyExists' | 'FileLocked', path: string): MethodFault {
    return new MethodFault(type, { file: this.text(path) }) as MethodFault;
  }
}

/** What a file takes on the datastore. */
export function sizeOf(entry: SimEntry): number {
  if (entry.kind === 'vmx') return VMX_BYTES;
  return contentBytes(entry) + diskBytes(entry);
}

/** About what a .vmx has; it is written only when somebody reads it. */
const VMX_BYTES = 2048;

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function contentBytes(entry: SimEntry | undefined): number {
  return entry?.kind === 'file' ? entry.content.length : 0;
}

function diskBytes(entry: SimEntry): number {
  if (entry.kind !== 'disk') return 0;
  const { capacityBytes, provisioning } = entry.disk;
  return THICK.includes(provisioning) ? capacityBytes : Math.floor(capacityBytes / 10);
}
