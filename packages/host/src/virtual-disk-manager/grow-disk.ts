// Enlarges a virtual disk that no VM is running on; the part after the data file that a running VM grew itself.
import { MethodFault } from '@vivarium/vim';
import { resizedVmdkDescriptor } from '@vivarium/vmx';
import type { Location } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import { checkCapacity, checkRoom, ownDisk } from './create-disk.ts';
import type { ImageRun } from './disk-images.ts';
import { preallocationOf } from './make-descriptor.ts';
import { type DiskContext, programFolder, writeDescriptor } from './place-disk.ts';
import { readVirtualDisk } from './virtual-disk.ts';

/**
 * Enlarges to `capacityBytes`; `eagerZero` writes the new part (thick disks). Faults: InvalidArgument (smaller than it
 * is), NoDiskSpace, FileLocked.
 *
 * The data file grows first: when a crash leaves the descriptor behind, the next opening of the disk mends it.
 */
export async function growDisk(
  context: DiskContext,
  location: Location,
  capacityBytes: number,
  eagerZero = false,
  run: ImageRun = {},
): Promise<void> {
  using _lock = ownDisk(context, location);
  const disk = await readVirtualDisk(context.datastores, location);
  checkCapacity(capacityBytes);
  const { data, facts } = disk;
  if (capacityBytes < facts.capacityBytes)
    throw new MethodFault('InvalidArgument', { invalidProperty: 'newCapacityKb' });
  if (capacityBytes === facts.capacityBytes) return;
  if (facts.provisioning !== 'thin') await checkRoom(location, capacityBytes - facts.capacityBytes);
  const place = splitPath(location.path).folder;
  await using folder = await location.datastore.openFolder(place);
  const file = {
    folder: programFolder(folder, location.datastore.absolute(place)),
    name: data.fileName,
    format: data.format,
  };
  const preallocation = data.format === 'raw' && eagerZero ? 'full' : preallocationOf(facts.provisioning);
  await context.images.grow(file, capacityBytes, preallocation, run);
  await writeDescriptor(context, location, resizedVmdkDescriptor(disk.descriptor, capacityBytes));
}

/** Writes down that the data file has grown (a running VM's block_resize, or a growing that was interrupted). */
export async function recordCapacity(context: DiskContext, location: Location, capacityBytes: number): Promise<void> {
  const { descriptor, facts } = await readVirtualDisk(context.datastores, location);
  if (capacityBytes <= facts.capacityBytes) return;
  await writeDescriptor(context, location, resizedVmdkDescriptor(descriptor, capacityBytes));
}
