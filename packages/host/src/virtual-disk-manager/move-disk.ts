// Moves a virtual disk to another name or folder, its data with it. On one datastore nothing is copied; between two it is
// a copy, then a removal.
import { dataFileOf, formatVmdkDescriptor } from '@vivarium/vmx';
import { type Location, subjectOf } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import { withFileFaults } from '../datastore/file-faults.ts';
import { checkNotInUse } from '../datastore/file-use.ts';
import { Workshop } from '../datastore/workshop.ts';
import { adoptUpload } from './adopt-upload.ts';
import { openSource, placeCopy } from './copy-disk.ts';
import { checkDiskName, ownDisk } from './create-disk.ts';
import { deleteDisk } from './delete-disk.ts';
import type { ImageRun } from './disk-images.ts';
import { renamedDescriptor } from './make-descriptor.ts';
import { checkAbsent, DESCRIPTOR, type DiskContext } from './place-disk.ts';
import { parentHint, readDiskHead, readVirtualDisk } from './virtual-disk.ts';

/** `force` writes over a disk at the destination. Faults: FileAlreadyExists, FileNotFound, FileLocked, NoDiskSpace. */
export async function moveDisk(
  context: DiskContext,
  from: Location,
  to: Location,
  force: boolean,
  run: ImageRun = {},
): Promise<void> {
  checkDiskName(to);
  if (from.datastore === to.datastore && from.path === to.path) return;
  if ((await readDiskHead(from)).kind === 'foreign') await adoptUpload(context, from, run);
  if (force && (await exists(to))) await deleteDisk(context, to);
  if (from.datastore === to.datastore) await renameDisk(context, from, to);
  else await carryOver(context, from, to, run);
}

async function renameDisk(context: DiskContext, from: Location, to: Location): Promise<void> {
  using _from = ownDisk(context, from);
  using _to = ownDisk(context, to);
  const disk = await readVirtualDisk(context.datastores, from);
  const { data } = disk;
  checkNotInUse(context.use, data.location.datastore.absolute(data.location.path), subjectOf(from).file);
  const { folder: source, name: oldName } = await from.datastore.openParent(from.path);
  await using _source = source;
  const { folder: target, name: newName } = await to.datastore.openParent(to.path);
  await using _target = target;
  const hint = disk.parent && parentHint(to, disk.parent.location);
  const moved = renamedDescriptor(disk.descriptor, newName, hint);
  const newData = dataFileOf(moved).fileName;
  await withFileFaults(subjectOf(to), async () => {
    await checkAbsent(target, newName);
    await using workshop = await Workshop.open(target, context.random);
    await workshop.write(DESCRIPTOR, formatVmdkDescriptor(moved));
    const movedFrom = { folder: splitPath(from.path).folder, data: data.fileName, descriptor: oldName };
    await workshop.notePlacing({ data: newData, descriptor: newName, movedFrom });
    await source.link(data.fileName, target, newData);
    await source.unlink(data.fileName);
    try {
      await workshop.place(DESCRIPTOR, newName);
    } catch (error) {
      await target.rename(newData, source, data.fileName);
      throw error;
    }
    await target.sync();
    await source.unlink(oldName);
    await source.sync();
  });
}

async function carryOver(context: DiskContext, from: Location, to: Location, run: ImageRun): Promise<void> {
  {
    using _to = ownDisk(context, to);
    await using origin = await openSource(context, from);
    const { facts } = await readVirtualDisk(context.datastores, from);
    const { provisioning, uuid } = facts;
    await placeCopy(context, origin, to, { fileName: checkDiskName(to), provisioning, uuid, replace: 'nothing' }, run);
  }
  await deleteDisk(context, from);
}

async function exists(location: Location): Promise<boolean> {
  const { folder, name } = await location.datastore.openParent(location.path);
  await using _ = folder;
  return await folder.stat(name).then(
    () => true,
    () => false,
  );
}
