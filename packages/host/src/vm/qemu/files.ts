// The VM's files as the VMM's uid may use them: the folder stays ours, only the files that the machine writes become the VMM's.

import { constants } from 'node:fs';
import { chmod, lstat, open } from 'node:fs/promises';
import { MethodFault } from '@vivarium/vim';

/** Makes missing files (FileNotFound when even the folder is missing) and gives all of them to `uid`. A symbolic link in their place is refused. */
export async function giveFiles(files: readonly string[], uid: number | undefined): Promise<void> {
  const { O_CREAT, O_RDWR, O_NOFOLLOW } = constants;
  for (const file of files) {
    const handle = await open(file, O_CREAT | O_RDWR | O_NOFOLLOW, 0o640).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new MethodFault('FileNotFound', { file });
    });
    try {
      if (uid !== undefined) await handle.chown(uid, uid);
    } finally {
      await handle.close();
    }
  }
}

/** Lets every VMM read an image that is inserted read-only; those that somebody writes to are given away instead. */
export async function letRead(file: string): Promise<void> {
  const { mode } = await lstat(file);
  if ((mode & 0o444) !== 0o444) await chmod(file, (mode & 0o777) | 0o444);
}
