// Keeps a disk's identity and changes how its data lies on the datastore: inflating, zeroing, shrinking, and wiping.
import { MethodFault } from '@vivarium/vim';
import type { DiskProvisioning } from '@vivarium/vmx';
import { type Location, locationText, subjectOf } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import { withFileFaults } from '../datastore/file-faults.ts';
import { openSource } from './copy-disk.ts';
import { checkRoom, ownDisk } from './create-disk.ts';
import type { ImageFile, ImageRun, Preallocation } from './disk-images.ts';
import { preallocationOf, remadeDescriptor } from './make-descriptor.ts';
import { type DiskContext, placeDisk } from './place-disk.ts';
import { readVirtualDisk, type VirtualDisk } from './virtual-disk.ts';

/** Rewrites the data, same content, for another provisioning (or for the same: what is zero gives its room back). */
export async function reformatDisk(
  context: DiskContext,
  location: Location,
  provisioning: DiskProvisioning,
  run: ImageRun = {},
): Promise<void> {
  using _lock = ownDisk(context, location);
  const disk = await readAlone(context, location);
  await using origin = await openSource(context, location, true);
  await remake(context, disk, provisioning, (target, preallocation) =>
    context.images.convert(origin.source, target, preallocation, run),
  );
}

/** Replaces the content with zeroes; provisioning stays. */
export async function zeroDisk(context: DiskContext, location: Location, run: ImageRun = {}): Promise<void> {
  using _lock = ownDisk(context, location);
  const disk = await readAlone(context, location);
  await remake(context, disk, disk.facts.provisioning, (target, preallocation) =>
    context.images.create(target, disk.facts.capacityBytes, preallocation, run),
  );
}

async function remake(
  context: DiskContext,
  disk: VirtualDisk,
  provisioning: DiskProvisioning,
  fill: (target: ImageFile, preallocation: Preallocation) => Promise<void>,
): Promise<void> {
  const { location, descriptor, facts, data } = disk;
  if (provisioning !== 'thin') await checkRoom(location, facts.capacityBytes);
  const { folder: place, name } = splitPath(location.path);
  const next = remadeDescriptor(context.random, descriptor, facts, { fileName: name, provisioning });
  const preallocation = preallocationOf(provisioning);
  await placeDisk(context, {
    location,
    descriptor: next,
    replace: 'both',
    fill: (target) => fill(target, preallocation),
  });
  const after = await readVirtualDisk(context.datastores, location);
  if (after.data.fileName === data.fileName) return;
  await using folder = await location.datastore.openFolder(place);
  await withFileFaults(subjectOf(location), async () => {
    await folder.unlink(data.fileName);
    await folder.sync();
  });
}

// A disk in a chain is what it is: rewriting it alone would take what lies below into it.
async function readAlone(context: DiskContext, location: Location): Promise<VirtualDisk> {
  const disk = await readVirtualDisk(context.datastores, location);
  if (disk.parent) throw new MethodFault('NotSupported', {}, `${locationText(location)} has a parent disk`);
  return disk;
}
