// VirtualMachine.layoutEx and .storage: the files of a VM with their sizes, read from its folder.
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  isA,
  type MoRef,
  make,
  type VirtualMachineConfigInfo,
  type VirtualMachineFileLayoutEx,
  type VirtualMachineFileLayoutExFileInfo,
  type VirtualMachineStorageInfo,
  type VirtualMachineStorageSummary,
} from '@vivarium/vim';
import type { VmDisks, VmPaths } from '../vm/vm-host.ts';

export interface VmLayout {
  readonly layoutEx: VirtualMachineFileLayoutEx;
  readonly storage: VirtualMachineStorageInfo;
  readonly summary: VirtualMachineStorageSummary;
}

interface LayoutInput {
  readonly config: VirtualMachineConfigInfo;
  readonly vmxFile: string;
  readonly paths: VmPaths;
  readonly disks: VmDisks;
  readonly datastore: MoRef<'Datastore'>;
  /** dateTime of now. */
  readonly timestamp: string;
}

/** Reads the layout. Files that vanish meanwhile are left out. */
export async function readLayout(input: LayoutInput): Promise<VmLayout> {
  const files = new FileList(input.paths);
  await files.add(input.vmxFile, 'config');
  const folder = dirname(input.vmxFile);
  const diskLayouts = [];
  let provisioned = 0;
  for (const device of input.config.hardware.device ?? []) {
    if (!isA('VirtualDisk', device) || !isA('VirtualDeviceFileBackingInfo', device.backing)) continue;
    provisioned += device.capacityInBytes ?? device.capacityInKB * 1024;
    const keys: number[] = [];
    for (const [index, file] of (await diskFiles(input.disks, device.backing.fileName)).entries()) {
      const key = await files.add(file, index === 0 ? 'diskDescriptor' : 'diskExtent');
      if (key !== undefined) keys.push(key);
    }
    diskLayouts.push(
      make('VirtualMachineFileLayoutExDiskLayout', {
        key: device.key,
        chain: [make('VirtualMachineFileLayoutExDiskUnit', { fileKey: keys })],
      }),
    );
  }
  for (const name of await readdir(folder).catch(() => [])) {
    const type = fileType(name);
    if (type) await files.add(join(folder, name), type);
  }
  return assemble(input, files.list, diskLayouts, provisioned);
}

async function diskFiles(disks: VmDisks, path: string): Promise<readonly string[]> {
  return disks.files(path).catch(() => []);
}

function assemble(
  input: LayoutInput,
  list: VirtualMachineFileLayoutExFileInfo[],
  disk: VirtualMachineFileLayoutEx['disk'],
  provisioned: number,
): VmLayout {
  const committed = list.reduce((sum, file) => sum + file.size, 0);
  const onDisks = list.filter((file) => file.type === 'diskExtent').reduce((sum, file) => sum + file.size, 0);
  const uncommitted = Math.max(0, provisioned - onDisks);
  const { timestamp } = input;
  return {
    layoutEx: make('VirtualMachineFileLayoutEx', { file: list, disk, timestamp }),
    storage: make('VirtualMachineStorageInfo', {
      perDatastoreUsage: [
        make('VirtualMachineUsageOnDatastore', {
          datastore: input.datastore,
          committed,
          uncommitted,
          unshared: committed,
        }),
      ],
      timestamp,
    }),
    summary: make('VirtualMachineStorageSummary', { committed, uncommitted, unshared: committed, timestamp }),
  };
}

// Names of the VM's own files by which ESXi tells their kind.
function fileType(name: string): string | undefined {
  if (/\.nvram$/.test(name)) return 'nvram';
  if (/^vmware(-\d+)?\.log$/.test(name)) return 'log';
  if (/\.vmss$/.test(name)) return 'suspend';
  return undefined;
}

class FileList {
  readonly list: VirtualMachineFileLayoutExFileInfo[] = [];
  readonly #seen = new Set<string>();
  readonly #paths: VmPaths;

  constructor(paths: VmPaths) {
    this.#paths = paths;
  }

  async add(file: string, type: string): Promise<number | undefined> {
    if (this.#seen.has(file) || basename(file).startsWith('.viv-')) return undefined;
    this.#seen.add(file);
    const info = await lstat(file).catch(() => undefined);
    if (!info?.isFile()) return undefined;
    const key = this.list.length;
    this.list.push(
      make('VirtualMachineFileLayoutExFileInfo', {
        key,
        name: this.#paths.format(file),
        type,
        size: info.blocks * 512,
        uniqueSize: info.blocks * 512,
        accessible: true,
      }),
    );
    return key;
  }
}
