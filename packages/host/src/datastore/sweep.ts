// Removes what a killed daemon left half made: everything on a datastore whose name starts with `.viv-`, the volume's
// identity and the links of running VMs excepted. Runs before anything else uses the datastore.

import type { Logger } from '@vivarium/base';
import { MEDIA_PREFIX } from '../vm/qemu/run-folder.ts';
import { isHiddenName } from './datastore-path.ts';
import { FolderHandle } from './folder-handle.ts';
import { removeTree } from './remove-tree.ts';
import { settlePlacing } from './settle-placing.ts';
import { IDENTITY_FILE } from './volume-identity.ts';

/** Deeper than any sane datastore; a limit, not a promise. */
const MAX_DEPTH = 32;

/** Returns how many names were removed. A folder that cannot be read is reported and left as it is. */
export async function sweepHalfMade(root: string, log: Logger): Promise<number> {
  await using folder = await FolderHandle.open(root);
  return await sweepFolder(folder, { root, log }, root, 0); // awaited before the folder is closed
}

interface Sweep {
  readonly root: string;
  readonly log: Logger;
}

async function sweepFolder(folder: FolderHandle, sweep: Sweep, path: string, depth: number): Promise<number> {
  const { root, log } = sweep;
  let removed = 0;
  for (const entry of await folder.list()) {
    const place = `${path}/${entry.name}`;
    try {
      if (isHiddenName(entry.name)) {
        if (entry.name === IDENTITY_FILE || entry.name.startsWith(MEDIA_PREFIX)) continue;
        await settlePlacing(root, folder, entry.name);
        await removeTree(folder, entry.name);
        log.info({ path: place }, 'removed a half-made file');
        removed++;
      } else if (entry.isDirectory() && depth < MAX_DEPTH) {
        await using inner = await folder.folder(entry.name);
        removed += await sweepFolder(inner, sweep, place, depth + 1);
      }
    } catch (error) {
      log.warn({ err: error, path: place }, 'cannot sweep');
    }
  }
  if (removed > 0) await folder.sync();
  return removed;
}
