// What the thin disks of a datastore may still grow by: Datastore.summary.uncommitted. Reads every descriptor.
import { capacityOf } from '@vivarium/vmx';
import type { Datastore } from '../datastore/datastore.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { listFolder } from '../datastore-browser/list-folder.ts';

const MAX_DEPTH = 32;

/** Bytes. Folders that go away meanwhile are passed over. */
export async function uncommittedBytes(datastore: Datastore): Promise<number> {
  await using folder = await datastore.openFolder('');
  return await uncommittedBelow(folder, 0);
}

async function uncommittedBelow(folder: FolderHandle, depth: number): Promise<number> {
  let bytes = 0;
  for (const { name, isFolder, disk, sizeBytes } of await listFolder(folder)) {
    if (disk?.kind === 'ours') bytes += Math.max(0, capacityOf(disk.descriptor) - sizeBytes);
    if (!isFolder || depth >= MAX_DEPTH) continue;
    const inner = await folder.folder(name).catch(() => undefined);
    if (!inner) continue;
    await using _ = inner;
    bytes += await uncommittedBelow(inner, depth + 1);
  }
  return bytes;
}
