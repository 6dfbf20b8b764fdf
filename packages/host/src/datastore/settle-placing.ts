// After a crash: is a data file that was being placed part of a disk, or of nothing? The descriptor decides.
import { constants } from 'node:fs';
import { isMissing } from './file-faults.ts';
import { FolderHandle } from './folder-handle.ts';
import { PLACING_FILE, type Placing } from './workshop.ts';

const MAX_BYTES = 64 * 1024;

/** Looks into the workshop `name` in `folder` and undoes what it had begun to place. Does nothing when there is no note. */
export async function settlePlacing(root: string, folder: FolderHandle, name: string): Promise<void> {
  const placing = await readPlacing(folder, name);
  if (!placing) return;
  const isTrue = (await readText(folder, placing.descriptor))?.includes(`"${placing.data}"`) ?? false;
  const { movedFrom } = placing;
  if (!movedFrom) {
    if (!isTrue) await ignoreMissing(folder.unlink(placing.data));
    return;
  }
  await using origin = await openBelow(root, movedFrom.folder);
  if (isTrue) await ignoreMissing(origin.unlink(movedFrom.descriptor));
  else {
    await ignoreMissing(folder.rename(placing.data, origin, movedFrom.data));
    await ignoreMissing(folder.unlink(placing.data)); // still there when both were names of one file (rename(2))
  }
  await origin.sync();
}

async function readPlacing(folder: FolderHandle, name: string): Promise<Placing | undefined> {
  if (!(await folder.stat(name)).isDirectory()) return undefined;
  await using workshop = await folder.folder(name);
  const text = await readText(workshop, PLACING_FILE);
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isPlacing(value) ? value : undefined;
  } catch {
    return undefined; // not written to the end: nothing was placed
  }
}

async function readText(folder: FolderHandle, name: string): Promise<string | undefined> {
  try {
    const handle = await folder.file(name, constants.O_RDONLY);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function openBelow(root: string, path: string): Promise<FolderHandle> {
  let folder = await FolderHandle.open(root);
  for (const part of path === '' ? [] : path.split('/')) {
    const parent = folder;
    try {
      folder = await parent.folder(part);
    } finally {
      await parent.close();
    }
  }
  return folder;
}

async function ignoreMissing(operation: Promise<void>): Promise<void> {
  await operation.catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

// The note lies in a folder that only this daemon writes (mode 0700); the check is against damage, and keeps names plain.
function isPlacing(value: unknown): value is Placing {
  if (typeof value !== 'object' || value === null) return false;
  const { data, descriptor, movedFrom } = value as Partial<Placing>;
  if (!isName(data) || !isName(descriptor)) return false;
  if (movedFrom === undefined) return true;
  return isName(movedFrom.data) && isName(movedFrom.descriptor) && typeof movedFrom.folder === 'string';
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value !== '.' && value !== '..' && !value.includes('/');
}
