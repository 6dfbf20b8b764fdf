// A hidden folder in which files are made before they get their names, so that nobody ever sees, and no crash ever leaves,
// half of one. What needs more than one rename to become true (a disk is a descriptor and a data file) is first written
// down in `placing.json`; the sweep at start undoes it unless its last rename was made.
import { constants } from 'node:fs';
import { type Random, token } from '@vivarium/base';
import { isMissing } from './file-faults.ts';
import type { FolderHandle } from './folder-handle.ts';
import { removeTree } from './remove-tree.ts';

/** A data file and the descriptor that makes it true: the descriptor's rename is the moment. */
export interface Placing {
  /** Names in the folder that the workshop is in. */
  readonly data: string;
  readonly descriptor: string;
  /** Set when the data file came from elsewhere: it goes back there, or the old descriptor goes. */
  readonly movedFrom?: {
    /** Relative to the datastore's root. */
    readonly folder: string;
    readonly data: string;
    readonly descriptor: string;
  };
}

export const PLACING_FILE = 'placing.json';

export class Workshop implements AsyncDisposable {
  /** The folder that the finished files go to. */
  readonly target: FolderHandle;
  /** The hidden folder itself. */
  readonly folder: FolderHandle;
  readonly name: string;

  private constructor(target: FolderHandle, folder: FolderHandle, name: string) {
    this.target = target;
    this.folder = folder;
    this.name = name;
  }

  static async open(target: FolderHandle, random: Random): Promise<Workshop> {
    const name = `.viv-${token(random, 8)}`;
    await target.mkdir(name, 0o700);
    return new Workshop(target, await target.folder(name), name);
  }

  /** Writes a small file whole and durably into the workshop. */
  async write(name: string, content: string, mode = 0o644): Promise<void> {
    const handle = await this.folder.file(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Notes durably what the next renames are going to make true. */
  async notePlacing(placing: Placing): Promise<void> {
    await this.write(PLACING_FILE, JSON.stringify(placing), 0o600);
    await this.folder.sync();
    await this.target.sync();
  }

  /** Gives a finished file its name. EEXIST when the name is taken, unless `replace`. */
  async place(name: string, as: string, replace = false): Promise<void> {
    if (replace) await this.folder.rename(name, this.target, as);
    else {
      await this.folder.link(name, this.target, as);
      await this.folder.unlink(name);
    }
  }

  /** Closes the workshop and removes it with what is left in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder.close();
    await removeTree(this.target, this.name).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
}
