// Removing a name and all below it, through descriptors: a link that someone puts in the way is removed, never followed.
import { isMissing } from './file-faults.ts';
import type { FolderHandle } from './folder-handle.ts';

/** Removes a file, a link or a whole folder. ENOENT when the name is not there. */
export async function removeTree(folder: FolderHandle, name: string, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  if (!(await folder.stat(name)).isDirectory()) {
    await folder.unlink(name);
    return;
  }
  {
    await using inner = await folder.folder(name);
    for (const entry of await inner.list()) {
      await removeTree(inner, entry.name, signal).catch((error: unknown) => {
        if (!isMissing(error)) throw error; // its owner was quicker
      });
    }
  }
  await folder.rmdir(name);
}
