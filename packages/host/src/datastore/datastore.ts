// One datastore: a directory under a name. Turns datastore paths into places on disk and back, and never lets one lead
// out of the directory. Knows nothing of VMs and of the API's objects.
import { lstatSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Clock, Logger, Random } from '@vivarium/base';
import { syncDirectory } from '@vivarium/base/node';
import { type MoRef, moRef } from '@vivarium/vim';
import {
  type DatastorePath,
  formatDatastorePath,
  invalidPath,
  isHiddenName,
  parseDatastorePath,
  splitPath,
} from './datastore-path.ts';
import { isMissing, withFileFaults } from './file-faults.ts';
import { FolderHandle } from './folder-handle.ts';
import { SpaceWatch } from './space.ts';
import { sweepHalfMade } from './sweep.ts';
import { ensureVolumeUuid } from './volume-identity.ts';

export interface DatastoreOptions {
  readonly name: string;
  /** Absolute path of the directory; made when it is not there. */
  readonly root: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export class Datastore {
  /** Absolute and free of symbolic links. */
  readonly root: string;
  /** VMFS-like: `5f2a6b3c-1a2b3c4d-5e6f-001122334455`; stays with the directory. */
  readonly uuid: string;
  readonly ref: MoRef<'Datastore'>;
  readonly space: SpaceWatch;
  #name: string;

  private constructor(name: string, root: string, uuid: string, space: SpaceWatch) {
    this.#name = name;
    this.root = root;
    this.uuid = uuid;
    this.ref = moRef('Datastore', uuid);
    this.space = space;
  }

  /** Opens the directory: makes it, gives it an identity, removes what a killed daemon left half made. */
  static async open({ name, root, clock, random, log }: DatastoreOptions): Promise<Datastore> {
    await ensureDirectory(root);
    const path = await realpath(root);
    const uuid = await ensureVolumeUuid(path, random);
    await sweepHalfMade(path, log);
    const space = new SpaceWatch({ root: path, clock, log });
    await space.refresh();
    return new Datastore(name, path, uuid, space);
  }

  get name(): string {
    return this.#name;
  }

  /** As clients see it in `summary.url`. */
  get url(): string {
    return `ds:///vmfs/volumes/${this.uuid}/`;
  }

  rename(name: string): void {
    this.#name = name;
  }

  /**
   * The absolute path for `[this datastore] a/b.vmx`; the file need not exist. Throws InvalidDatastorePath when the text is
   * malformed, names another datastore, or a name on the way is a symbolic link.
   */
  resolve(text: string): string {
    const parsed = parseDatastorePath(text);
    if (parsed.datastore !== this.#name) throw invalidPath(text);
    return this.absolute(parsed.path, text);
  }

  /** As `resolve`, for a normalized relative path; `text` is what a fault names. */
  absolute(path: string, text = this.text(path)): string {
    let place = this.root;
    for (const part of path === '' ? [] : path.split('/')) {
      place = join(place, part);
      const what = statQuietly(place);
      if (!what) return join(this.root, path);
      if (what.isSymbolicLink()) throw invalidPath(text);
    }
    return place;
  }

  /** The datastore path of an absolute path below the root. Throws RangeError for any other one: a mistake of the caller. */
  format(absolutePath: string): string {
    const path = relative(this.root, absolutePath);
    if (path.startsWith('..') || path.startsWith('/')) throw new RangeError(`not on ${this.#name}: ${absolutePath}`);
    if (path.split('/').some(isHiddenName)) throw new RangeError(`not for clients: ${absolutePath}`);
    return this.text(path);
  }

  /** `[name] path` for a relative path. */
  text(path: string): string {
    return formatDatastorePath({ datastore: this.#name, path });
  }

  /** Opens a folder by its relative path, one name at a time. Faults: FileNotFound, NotADirectory, CannotAccessFile. */
  async openFolder(path: string): Promise<FolderHandle> {
    let folder = await FolderHandle.open(this.root);
    for (const [index, part] of (path === '' ? [] : path.split('/')).entries()) {
      const subject = {
        file: this.text(
          path
            .split('/')
            .slice(0, index + 1)
            .join('/'),
        ),
        datastore: this.#name,
      };
      const parent = folder;
      try {
        folder = await withFileFaults(subject, () => parent.folder(part));
      } finally {
        await parent.close();
      }
    }
    return folder;
  }

  /** Opens the folder that `path` lies in. The root lies in none: InvalidDatastorePath. */
  async openParent(path: string): Promise<{ readonly folder: FolderHandle; readonly name: string }> {
    if (path === '') throw invalidPath(this.text(path));
    const { folder, name } = splitPath(path);
    return { folder: await this.openFolder(folder), name };
  }
}

/** A place on an open datastore. */
export interface Location {
  readonly datastore: Datastore;
  /** Relative and normalized; see DatastorePath. */
  readonly path: DatastorePath['path'];
}

/** `[name] path` of a location. */
export function locationText({ datastore, path }: Location): string {
  return datastore.text(path);
}

/** What a fault about this location names. */
export function subjectOf(location: Location): { readonly file: string; readonly datastore: string } {
  return { file: locationText(location), datastore: location.datastore.name };
}

async function ensureDirectory(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let folder = dirname(path); folder.length >= dirname(made).length; folder = dirname(folder)) {
    await syncDirectory(folder);
    if (folder === '/') break;
  }
}

function statQuietly(path: string) {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}
