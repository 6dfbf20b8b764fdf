// VirtualMachine.layoutEx, .layout and .storage: the files of a VM with their sizes, read from its folder.
import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  isA,
  type MoRef,
  make,
  type VirtualDisk,
  type VirtualMachineConfigInfo,
  type VirtualMachineFileLayout,
  type VirtualMachineFileLayoutEx,
  type VirtualMachineFileLayoutExFileInfo,
  type VirtualMachineStorageInfo,
  type VirtualMachineStorageSummary,
} from '@vivarium/vim';
import type { VmDisks, VmPaths } from '../vm/vm-host.ts';
import { ownFiles } from '../vm/vm-paths.ts';

export interface VmLayout {
  readonly layoutEx: VirtualMachineFileLayoutEx;
  readonly layout: VirtualMachineFileLayout;
  readonly storage: VirtualMachineStorageInfo;
  readonly summary: VirtualMachineStorageSummary;
}

interface LayoutInput {
  readonly config: VirtualMachineConfigInfo;
  readonly vmxFile: string;
  readonly paths: VmPaths;
  readonly disks: VmDisks;
  /** dateTime of now. */
  readonly timestamp: string;
}

interface FoundFile {
  /** Absolute. */
  readonly file: string;
  readonly type: string;
  /** What it takes on its datastore. */
  readonly bytes: number;
}

interface FoundDisk {
  readonly device: VirtualDisk;
  /** Datastore path of the descriptor. */
  readonly path: string;
  readonly files: readonly FoundFile[];
}

/** Reads the layout. Files that vanish meanwhile are left out. */
export async function readLayout(input: LayoutInput): Promise<VmLayout> {
  const disks: FoundDisk[] = [];
  for (const device of input.config.hardware.device ?? []) {
    if (!isA('VirtualDisk', device) || !isA('VirtualDeviceFileBackingInfo', device.backing)) continue;
    const path = device.backing.fileName;
    const files = await input.disks.files(path).catch(() => []);
    const typed = files.map((file, index) => ({ file, type: index === 0 ? 'diskDescriptor' : 'diskExtent' }));
    disks.push({ device, path, files: await measure(typed) });
  }
  return assemble(input, await measure(await ownFiles(input.vmxFile, input.config)), disks);
}

async function measure(files: readonly { readonly file: string; readonly type: string }[]): Promise<FoundFile[]> {
  const found = await Promise.all(
    files.map(async ({ file, type }) => {
      const info = await lstat(file).catch(() => undefined);
      return info?.isFile() ? [{ file, type, bytes: info.blocks * 512 }] : [];
    }),
  );
  return found.flat();
}

function assemble(input: LayoutInput, own: readonly FoundFile[], disks: readonly FoundDisk[]): VmLayout {
  const { paths, timestamp } = input;
  const file = [...own, ...disks.flatMap(({ files }) => files)].map((found, key) => fileInfo(found, key, paths));
  const keyOf = new Map(file.map(({ name, key }) => [name, key]));
  const disk = disks.map(({ device, files }) =>
    make('VirtualMachineFileLayoutExDiskLayout', {
      key: device.key,
      chain: [
        make('VirtualMachineFileLayoutExDiskUnit', {
          fileKey: files.flatMap((found) => keyOf.get(paths.format(found.file)) ?? []),
        }),
      ],
    }),
  );
  const usage = usageByDatastore(input, own, disks);
  const total = (of: 'committed' | 'uncommitted') => usage.reduce((sum, one) => sum + one[of], 0);
  const totals = { committed: total('committed'), uncommitted: total('uncommitted'), unshared: total('committed') };
  return {
    layoutEx: make('VirtualMachineFileLayoutEx', { file, disk, timestamp }),
    layout: make('VirtualMachineFileLayout', {
      configFile: namesOf(own, ['config', 'nvram', 'extendedConfig', 'snapshotList']),
      logFile: namesOf(own, ['log']),
      disk: disks.map(({ device, path }) =>
        make('VirtualMachineFileLayoutDiskLayout', { key: device.key, diskFile: [path] }),
      ),
    }),
    storage: make('VirtualMachineStorageInfo', {
      perDatastoreUsage: usage.map(({ datastore, committed, uncommitted }) =>
        make('VirtualMachineUsageOnDatastore', { datastore, committed, uncommitted, unshared: committed }),
      ),
      timestamp,
    }),
    summary: make('VirtualMachineStorageSummary', { ...totals, timestamp }),
  };
}

function fileInfo({ file, type, bytes }: FoundFile, key: number, paths: VmPaths): VirtualMachineFileLayoutExFileInfo {
  return make('VirtualMachineFileLayoutExFileInfo', {
    key,
    name: paths.format(file),
    type,
    size: bytes,
    uniqueSize: bytes,
    accessible: true,
  });
}

interface DatastoreUsage {
  readonly datastore: MoRef<'Datastore'>;
  /** Bytes in use. */
  readonly committed: number;
  /** Bytes by which the disks may still grow. */
  readonly uncommitted: number;
}

/** What the VM uses where; the datastore of the VMX first. */
function usageByDatastore(
  { paths, vmxFile }: LayoutInput,
  own: readonly FoundFile[],
  disks: readonly FoundDisk[],
): DatastoreUsage[] {
  const usage = new Map<string, DatastoreUsage>();
  const add = (file: string, committed: number, uncommitted: number) => {
    const datastore = paths.datastoreOf(file);
    const before = usage.get(datastore.value) ?? { datastore, committed: 0, uncommitted: 0 };
    usage.set(datastore.value, {
      datastore,
      committed: before.committed + committed,
      uncommitted: before.uncommitted + uncommitted,
    });
  };
  add(vmxFile, 0, 0);
  for (const { file, bytes } of own) add(file, bytes, 0);
  for (const { device, files } of disks) {
    const [first] = files;
    if (!first) continue;
    const onDisk = files.reduce((sum, { type, bytes }) => (type === 'diskExtent' ? sum + bytes : sum), 0);
    const capacity = device.capacityInBytes ?? device.capacityInKB * 1024;
    for (const { file, bytes } of files) add(file, bytes, 0);
    add(first.file, 0, Math.max(0, capacity - onDisk));
  }
  return [...usage.values()];
}

function namesOf(own: readonly FoundFile[], types: readonly string[]): string[] {
  return own.filter(({ type }) => types.includes(type)).map(({ file }) => basename(file));
}
