// Fills a disk of a new VM with a VMDK from the network: it lands in a hidden place, is judged there, is converted, and
// becomes the disk's content in one step. The disk keeps its identity.
import { constants } from 'node:fs';
import type { Readable } from 'node:stream';
import { MethodFault } from '@vivarium/vim';
import { type Location, locationText, subjectOf } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import { withFileFaults } from '../datastore/file-faults.ts';
import { Workshop } from '../datastore/workshop.ts';
import { writeBody } from '../folder-access/receive-file.ts';
import { ownDisk } from '../virtual-disk-manager/create-disk.ts';
import type { ImageRun } from '../virtual-disk-manager/disk-images.ts';
import { preallocationOf } from '../virtual-disk-manager/make-descriptor.ts';
import { type DiskContext, placeDisk, programFolder } from '../virtual-disk-manager/place-disk.ts';
import { planUpload, readUploadedFile } from '../virtual-disk-manager/uploaded-files.ts';
import { badDisk, readVirtualDisk } from '../virtual-disk-manager/virtual-disk.ts';

const UPLOAD = 'upload.vmdk';

export interface DiskReception extends ImageRun {
  readonly body: Readable;
  /** What the sender announced, if it did. */
  readonly lengthBytes?: number | undefined;
  /** Told after every piece. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Faults: InvalidDiskFormat (not a VMDK in one file, hostile, larger than the disk), NoDiskSpace, FileLocked. Throws
 * TransferBroken when the body ends early.
 */
export async function receiveDisk(context: DiskContext, place: Location, reception: DiskReception): Promise<void> {
  const { body, lengthBytes, onBytes, ...run } = reception;
  using _lock = ownDisk(context, place);
  const disk = await readVirtualDisk(context.datastores, place);
  const { folder: parent } = splitPath(place.path);
  await using folder = await place.datastore.openFolder(parent);
  const { freeBytes } = await place.datastore.space.refresh();
  if ((lengthBytes ?? 0) > freeBytes) throw new MethodFault('NoDiskSpace', subjectOf(place));
  await withFileFaults(subjectOf(place), async () => {
    await using workshop = await Workshop.open(folder, context.random);
    const handle = await workshop.folder.file(UPLOAD, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
    try {
      await writeBody(handle, { body, lengthBytes, onBytes });
    } finally {
      await handle.close();
    }
    const upload = await readUploadedFile(workshop.folder, UPLOAD);
    const plan = await planUpload(workshop.folder, upload, locationText(place));
    const { facts, descriptor } = disk;
    if (plan.extents.some(({ fileName }) => fileName !== UPLOAD))
      throw badDisk(place, 'the disk must come in one file');
    if (plan.capacityBytes > facts.capacityBytes)
      throw badDisk(place, 'the file holds a larger disk than was announced');
    const absolute = `${place.datastore.absolute(parent)}/${workshop.name}`;
    const source = {
      kind: 'upload',
      folder: programFolder(workshop.folder, absolute),
      name: UPLOAD,
      plan,
    } as const;
    const preallocation = preallocationOf(facts.provisioning);
    await placeDisk(context, {
      location: place,
      descriptor,
      replace: 'both',
      fill: async (target) => {
        await context.images.convert(source, target, preallocation, run);
        if (plan.capacityBytes === facts.capacityBytes) return;
        await context.images.grow(target, facts.capacityBytes, preallocation, run);
      },
    });
  });
}
