// Disks that are made for a VM and removed with it. On another datastore than the VM's own they lie in a folder of the same
// name, which comes with the first of them and goes with the last one, as on ESXi.
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { syncDirectory } from '@vivarium/base/node';
import type { PrepareEffect } from '@vivarium/vmx';
import { withFileFaults } from '../datastore/file-faults.ts';
import { subjectOf } from './vm-files.ts';
import type { VmHost } from './vm-host.ts';

/** Faults: those of VmDisks.create. */
export async function makeDisk(host: VmHost, vmxFile: string, effect: PrepareEffect<'createDisk'>): Promise<void> {
  const folder = findTwinFolder(host, vmxFile, effect.path);
  if (folder !== undefined) {
    await withFileFaults(subjectOf(host, folder), async () => {
      const made = await mkdir(folder, { recursive: true, mode: 0o755 });
      if (made !== undefined) await syncDirectory(dirname(made));
    });
  }
  await host.disks.create(effect);
}

/** No error when the disk is gone already. */
export async function removeDisk(host: VmHost, vmxFile: string, path: string): Promise<void> {
  await host.disks.remove(path);
  const folder = findTwinFolder(host, vmxFile, path);
  if (folder !== undefined) await removeIfEmpty(folder);
}

/** Another VM's files, or anybody's, keep a folder. */
export async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}

/** The folder of a disk that lies on another datastore as the VM lies on its own; never a datastore's root. */
function findTwinFolder({ paths }: VmHost, vmxFile: string, path: string): string | undefined {
  const folder = dirname(paths.resolve(path));
  const home = dirname(vmxFile);
  const [root, homeRoot] = [paths.rootOf(folder), paths.rootOf(vmxFile)];
  const isTwin = root !== homeRoot && folder !== root && relative(root, folder) === relative(homeRoot, home);
  return isTwin ? folder : undefined;
}
