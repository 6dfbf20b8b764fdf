// The files of one folder as a browser shows them: a virtual disk is one entry, its descriptor; the data files that
// descriptors name are not shown, but one whose descriptor is gone is (as ESXi does, see govmomi issue 1995). Links, pipes
// and our own hidden names are not shown at all.
import { isHiddenName } from '../datastore/datastore-path.ts';
import { isMissing } from '../datastore/file-faults.ts';
import type { FolderHandle } from '../datastore/folder-handle.ts';
import { namedExtents, readUploadedFile } from '../virtual-disk-manager/uploaded-files.ts';
import { type DiskHead, diskHead } from '../virtual-disk-manager/virtual-disk.ts';

export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly modified: Date;
  /** Bytes; for a disk what its files take on the datastore. */
  readonly sizeBytes: number;
  /** Set for files named `.vmdk`. */
  readonly disk?: DiskHead;
}

/** Entries in no order. `everyFile` also shows the data files of disks, and sizes are those of the files. */
export async function listFolder(folder: FolderHandle, show: 'disks' | 'everyFile' = 'disks'): Promise<FolderEntry[]> {
  const entries = new Map<string, FolderEntry>();
  const takenBytes = new Map<string, number>();
  for (const entry of await folder.list()) {
    if (isHiddenName(entry.name) || !(entry.isFile() || entry.isDirectory())) continue;
    const stats = await folder.stat(entry.name).catch(gone);
    if (!stats || !(stats.isFile() || stats.isDirectory())) continue;
    const disk = stats.isFile() && /\.vmdk$/i.test(entry.name) ? await readHead(folder, entry.name) : undefined;
    takenBytes.set(entry.name, stats.blocks * 512);
    entries.set(entry.name, {
      name: entry.name,
      isFolder: stats.isDirectory(),
      modified: stats.mtime,
      sizeBytes: stats.isDirectory() ? 0 : stats.size,
      ...(disk ? { disk } : {}),
    });
  }
  if (show === 'everyFile') return [...entries.values()];
  const named = new Set<string>();
  for (const entry of entries.values()) {
    if (!entry.disk) continue;
    const files = dataFiles(entry.disk);
    // Whatever else a descriptor names stays in sight.
    for (const name of files) if (/\.(vmdk|qcow2)$/i.test(name)) named.add(name);
    const taken = [entry.name, ...files].map((name) => takenBytes.get(name) ?? 0);
    if (files.length > 0)
      entries.set(entry.name, { ...entry, sizeBytes: taken.reduce((sum, bytes) => sum + bytes, 0) });
  }
  return [...entries.values()].filter(({ name }) => !named.has(name));
}

/** Names of the files that a disk consists of, beside its descriptor. */
export function dataFiles(disk: DiskHead): string[] {
  return disk.kind === 'ours' ? [disk.data.fileName] : namedExtents(disk.file);
}

async function readHead(folder: FolderHandle, name: string): Promise<DiskHead | undefined> {
  const file = await readUploadedFile(folder, name).catch(gone);
  return file && diskHead(file);
}

// Between the listing and the look the file went away, or cannot be read: then it is shown without details or not at all.
function gone(error: unknown): undefined {
  if (isMissing(error) || (error instanceof Error && 'code' in error)) return undefined;
  throw error;
}
