// FileManager, VirtualDiskManager and HostDatastoreBrowser of a simulated host, over files that are in memory.
import type { Random } from '@vivarium/base';
import {
  type DiskShape,
  type FolderEntry,
  makeDescriptor,
  parseDatastorePath,
  parseDiskSpec,
  parseUuid,
  searchFolder,
} from '@vivarium/host/view';
import {
  type HostDatastoreBrowserSearchResults,
  type HostDatastoreBrowserSearchSpec,
  isA,
  MethodFault,
  make,
  moRef,
  type VirtualDiskSpec,
} from '@vivarium/vim';
import { dataFileOf, newDiskUuid } from '@vivarium/vmx';
import { type SimDisk, type SimEntry, type SimFiles, sizeOf } from './sim-files.ts';

export interface FileWorld {
  readonly nowMs: number;
  readonly random: Random;
  /** By the name that the host has for the datastore. */
  readonly filesOf: (datastore: string) => SimFiles | undefined;
}

type Args = Readonly<Record<string, unknown>>;
type Run = (world: FileWorld, args: Args) => unknown;

interface Place {
  readonly files: SimFiles;
  readonly path: string;
}

/** By managed type and method. Faults: InvalidDatastore, InvalidDatastorePath, FileNotFound, FileAlreadyExists, FileLocked … */
export function fileMethod(type: string, method: string): Run | undefined {
  if (type === 'FileManager') return FILE_METHODS[method];
  if (type === 'VirtualDiskManager') return DISK_METHODS[method];
  if (type === 'HostDatastoreBrowser') return BROWSER_METHODS[method];
  return undefined;
}

export const FILE_OBJECTS: ReadonlySet<string> = new Set(['FileManager', 'VirtualDiskManager', 'HostDatastoreBrowser']);

const FILE_METHODS: Readonly<Record<string, Run>> = {
  MakeDirectory(world, { name, createParentDirectories }) {
    const { files, path } = locate(world, name);
    if (files.find(path) || path === '') throw new MethodFault('FileAlreadyExists', { file: files.text(path) });
    const folder = { kind: 'folder', modifiedMs: world.nowMs } as const;
    if (createParentDirectories === true) files.putDeep(path, folder);
    else files.put(path, folder);
  },
  DeleteDatastoreFile_Task(world, { name }) {
    const { files, path } = located(world, name);
    files.remove(path);
  },
  MoveDatastoreFile_Task: (world, { sourceName, destinationName, force }) =>
    transfer(world, sourceName, destinationName, { mayReplace: force === true, isMove: true }),
  CopyDatastoreFile_Task: (world, { sourceName, destinationName, force }) =>
    transfer(world, sourceName, destinationName, { mayReplace: force === true, isMove: false }),
};

const DISK_METHODS: Readonly<Record<string, Run>> = {
  CreateVirtualDisk_Task(world, { name, spec }) {
    const { files, path } = located(world, name);
    if (!isA('FileBackedVirtualDiskSpec', spec)) throw new MethodFault('InvalidArgument', { invalidProperty: 'spec' });
    const shape = parseDiskSpec(spec, 'spec');
    if (files.find(path)) throw new MethodFault('FileAlreadyExists', { file: files.text(path) });
    files.put(path, newDisk(world, { ...shape, capacityBytes: spec.capacityKb * 1024 }));
    return name;
  },
  DeleteVirtualDisk_Task(world, { name }) {
    const { files, path } = located(world, name);
    diskAt({ files, path });
    files.remove(path);
  },
  MoveVirtualDisk_Task(world, { sourceName, destName, force }) {
    diskAt(located(world, sourceName));
    transfer(world, sourceName, destName, { mayReplace: force === true, isMove: true });
    return destName;
  },
  CopyVirtualDisk_Task(world, { sourceName, destName, destSpec }) {
    const disk = diskAt(located(world, sourceName));
    const to = located(world, destName);
    if (to.files.find(to.path)) throw new MethodFault('FileAlreadyExists', { file: to.files.text(to.path) });
    const shape: DiskShape = destSpec
      ? parseDiskSpec(destSpec as VirtualDiskSpec, 'destSpec')
      : { provisioning: 'lazyZeroedThick', adapter: disk.adapter };
    to.files.put(to.path, newDisk(world, { ...shape, capacityBytes: disk.capacityBytes }));
    return destName;
  },
  ExtendVirtualDisk_Task: (world, { name, newCapacityKb }) =>
    changeDisk(world, name, (disk) => {
      const capacityBytes = Number(newCapacityKb) * 1024;
      if (!(capacityBytes >= disk.capacityBytes)) {
        throw new MethodFault('InvalidArgument', { invalidProperty: 'newCapacityKb' });
      }
      return { ...disk, capacityBytes };
    }),
  InflateVirtualDisk_Task: (world, { name }) =>
    changeDisk(world, name, (disk) =>
      disk.provisioning === 'thin' ? { ...disk, provisioning: 'eagerZeroedThick' } : disk,
    ),
  EagerZeroVirtualDisk_Task: (world, { name }) =>
    changeDisk(world, name, (disk) => ({ ...disk, provisioning: 'eagerZeroedThick' })),
  ShrinkVirtualDisk_Task: (world, { name }) => changeDisk(world, name, requireThin),
  DefragmentVirtualDisk_Task: (world, { name }) => changeDisk(world, name, requireThin),
  ZeroFillVirtualDisk_Task: (world, { name }) => changeDisk(world, name, (disk) => disk),
  QueryVirtualDiskInfo_Task(world, { name }) {
    const place = located(world, name);
    const { provisioning } = diskAt(place);
    const diskType = provisioning === 'lazyZeroedThick' ? 'preallocated' : provisioning;
    const unit = make('VirtualDiskInfoUnit', { name: place.files.text(place.path) });
    return [make('VirtualDiskInfo', { unit, diskType })];
  },
  QueryVirtualDiskUuid: (world, { name }) =>
    diskDescriptor(world, '', diskAt(located(world, name))).ddb.get('uuid') ?? '',
  SetVirtualDiskUuid: (world, { name, uuid }) =>
    changeDisk(world, name, (disk) => ({ ...disk, uuid: parseUuid(String(uuid)).replaceAll(/[ -]/g, '') })),
  QueryVirtualDiskGeometry(world, { name }) {
    const { ddb } = diskDescriptor(world, '', diskAt(located(world, name)));
    const number = (key: string) => Number(ddb.get(`geometry.${key}`) ?? 0);
    const [cylinder, head, sector] = [number('cylinders'), number('heads'), number('sectors')];
    return make('HostDiskDimensionsChs', { cylinder, head, sector });
  },
};

const BROWSER_METHODS: Readonly<Record<string, Run>> = {
  SearchDatastore_Task: (world, { datastorePath, searchSpec }) =>
    search(world, locate(world, datastorePath), specOf(searchSpec)),
  SearchDatastoreSubFolders_Task(world, { datastorePath, searchSpec }) {
    const start = locate(world, datastorePath);
    const { files } = start;
    requireFolder(start);
    const folders = files.below(start.path).filter((path) => files.find(path)?.kind === 'folder');
    return [start.path, ...folders.toSorted()]
      .map((path) => search(world, { files, path }, specOf(searchSpec)))
      .filter(({ file }) => (file ?? []).length > 0);
  },
  DeleteFile(world, { datastorePath }) {
    const { files, path } = located(world, datastorePath);
    files.remove(path);
  },
};

/** Where a datastore path leads. Faults: InvalidDatastorePath, InvalidDatastore. */
function locate({ filesOf }: FileWorld, text: unknown): Place {
  const { datastore, path } = parseDatastorePath(String(text));
  const files = filesOf(datastore);
  if (!files) throw new MethodFault('InvalidDatastore', { name: datastore });
  return { files, path };
}

/** Something on a datastore, not the datastore itself. */
function located(world: FileWorld, text: unknown): Place {
  const place = locate(world, text);
  if (place.path === '') throw new MethodFault('InvalidDatastorePath', { datastorePath: String(text) });
  return place;
}

function transfer(
  world: FileWorld,
  from: unknown,
  to: unknown,
  options: { readonly mayReplace: boolean; readonly isMove: boolean },
): void {
  const source = located(world, from);
  source.files.transfer(source.path, located(world, to), options);
}

/** Faults: FileNotFound, and InvalidArgument for a file that is no disk. */
function diskAt({ files, path }: Place): SimDisk {
  const entry = files.get(path);
  if (entry.kind !== 'disk') throw new MethodFault('InvalidArgument', { invalidProperty: 'name' });
  return entry.disk;
}

function changeDisk(world: FileWorld, name: unknown, change: (disk: SimDisk) => SimDisk): void {
  const { files, path } = located(world, name);
  const disk = diskAt({ files, path });
  files.requireFree(path);
  files.put(path, { kind: 'disk', modifiedMs: world.nowMs, disk: change(disk) });
}

function requireThin(disk: SimDisk): SimDisk {
  if (disk.provisioning !== 'thin') throw new MethodFault('NotSupported', {}, 'only a thin disk can be shrunk');
  return disk;
}

function newDisk({ nowMs, random }: FileWorld, disk: Omit<SimDisk, 'uuid'>): SimEntry {
  return { kind: 'disk', modifiedMs: nowMs, disk: { ...disk, uuid: newDiskUuid(random) } };
}

function specOf(spec: unknown): HostDatastoreBrowserSearchSpec {
  return (spec as HostDatastoreBrowserSearchSpec | undefined) ?? make('HostDatastoreBrowserSearchSpec', {});
}

function requireFolder({ files, path }: Place): void {
  if (!files.isFolder(path)) throw new MethodFault('FileNotFound', { file: files.text(path) });
}

function search(
  world: FileWorld,
  { files, path }: Place,
  spec: HostDatastoreBrowserSearchSpec,
): HostDatastoreBrowserSearchResults {
  const entries = files.list(path).map(([name, entry]) => folderEntry(world, name, entry));
  const file = searchFolder(entries, spec, (name) => files.text(path === '' ? name : `${path}/${name}`));
  return make('HostDatastoreBrowserSearchResults', {
    datastore: moRef('Datastore', files.name),
    folderPath: path === '' ? `${files.text('')} ` : `${files.text(path)}/`,
    file: file.length > 0 ? file : undefined,
  });
}

function folderEntry(world: FileWorld, name: string, entry: SimEntry): FolderEntry {
  const common = { name, isFolder: entry.kind === 'folder', modified: new Date(entry.modifiedMs) };
  if (entry.kind !== 'disk') return { ...common, sizeBytes: sizeOf(entry) };
  const descriptor = diskDescriptor(world, name, entry.disk);
  return { ...common, sizeBytes: sizeOf(entry), disk: { kind: 'ours', descriptor, data: dataFileOf(descriptor) } };
}

/** As its file has it. */
export function diskDescriptor({ random }: FileWorld, fileName: string, disk: SimDisk) {
  return makeDescriptor(random, { ...disk, fileName, longContentId: 'f'.repeat(31).concat('0') });
}
