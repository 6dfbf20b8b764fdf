// A folder of a datastore, held open. Everything below it is reached through its descriptor (/proc/self/fd/N/name, Linux's
// way to say openat), one name at a time and without following symbolic links: a VMM that owns a VM's folder may put
// links and pipes into it at any moment, and none of that leads this process out of the datastore.

import { constants, type Dirent, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, rmdir, unlink } from 'node:fs/promises';

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** O_NONBLOCK: opening a pipe must not wait for its other end. Regular files do not know the flag. */
const FILE_FLAGS = constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class FolderHandle implements AsyncDisposable {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Opens a folder by its absolute path; its last name must not be a symbolic link. */
  static async open(path: string): Promise<FolderHandle> {
    return new FolderHandle(await open(path, FOLDER_FLAGS));
  }

  /** A path by which this process reaches `name` in the folder, whatever becomes of the folder's own name. */
  at(name: string): string {
    return `/proc/self/fd/${this.#handle.fd}/${name}`;
  }

  folder(name: string): Promise<FolderHandle> {
    return FolderHandle.open(this.at(name));
  }

  /**
   * A path of this folder for programs that root starts: it stays the folder whatever is done to its name. Programs of
   * another user may not look into /proc/PID/fd.
   */
  get pathForPrograms(): string {
    return `/proc/${process.pid}/fd/${this.#handle.fd}`;
  }

  /** Opens a regular file. Throws ENOTREG for anything else (link, pipe, socket, device, folder). */
  async file(name: string, flags: number, mode = 0o600): Promise<FileHandle> {
    const handle = await open(this.at(name), flags | FILE_FLAGS, mode);
    try {
      if ((await handle.stat()).isFile()) return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    throw Object.assign(new Error(`not a regular file: ${name}`), { code: 'ENOTREG' });
  }

  /** What `name` is; a symbolic link is reported as itself. */
  stat(name: string): Promise<Stats> {
    return lstat(this.at(name));
  }

  /** All names, `.` and `..` left out, in no order. */
  list(): Promise<Dirent[]> {
    return readdir(this.at('.'), { withFileTypes: true });
  }

  mkdir(name: string, mode = 0o755): Promise<void> {
    return mkdir(this.at(name), { mode }) as Promise<void>;
  }

  unlink(name: string): Promise<void> {
    return unlink(this.at(name));
  }

  rmdir(name: string): Promise<void> {
    return rmdir(this.at(name));
  }

  /** Renames within one file system; an existing file at the target is replaced. */
  rename(name: string, target: FolderHandle, targetName: string): Promise<void> {
    return rename(this.at(name), target.at(targetName));
  }

  /** Gives a file a second name. Unlike `rename` it never replaces what has the name: EEXIST. */
  link(name: string, target: FolderHandle, targetName: string): Promise<void> {
    return link(this.at(name), target.at(targetName));
  }

  /** Makes the folder's names durable. */
  sync(): Promise<void> {
    return this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
