// The folder of a running VM outside its datastore: sockets, process record, and hard links to images from elsewhere.
// It comes with a power-on and goes with the power-off; what is left by a crash is swept when hostd starts.
import { chmod, chown, link, mkdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Where the parts appear inside the jail. */
export const JAIL = { vmFolder: '/vm', runFolder: '/run/vm', mediaFolder: '/media' } as const;

export interface RunFolder {
  /** Absolute: writable by the VMM (its sockets and screenshots are made there). */
  readonly path: string;
  /** Absolute: hard links to images outside the VM's folder; on the datastore's file system, read-only in the jail. */
  readonly media: string;
}

export function runFolderOf(runRoot: string, vm: string, datastoreRoot: string): RunFolder {
  return { path: join(runRoot, vm), media: join(datastoreRoot, `.viv-media-${vm}`) };
}

export const qmpSocket = (folder: RunFolder) => join(folder.path, 'vmm', 'qmp.sock');
export const agentSocket = (folder: RunFolder) => join(folder.path, 'vmm', 'agent.sock');
export const vncSocket = (folder: RunFolder) => join(folder.path, 'vmm', 'vnc.sock');
/** The part that the VMM may write to. */
export const vmmFolder = (folder: RunFolder) => join(folder.path, 'vmm');

/** Makes the folder anew for `uid`. */
export async function makeRunFolder(folder: RunFolder, uid: number | undefined): Promise<void> {
  await removeRunFolder(folder);
  await mkdir(vmmFolder(folder), { recursive: true, mode: 0o711 });
  await mkdir(folder.media, { mode: 0o711 });
  if (uid !== undefined) await chown(vmmFolder(folder), uid, uid);
  await chmod(vmmFolder(folder), 0o700);
}

export async function removeRunFolder(folder: RunFolder): Promise<void> {
  await rm(folder.path, { recursive: true, force: true });
  await rm(folder.media, { recursive: true, force: true });
}

/**
 * Lets the jail see an image outside the VM's folder, also while the VM runs: a hard link in the media folder.
 * Returns its path inside the jail. Throws EXDEV when the image lies on another file system.
 */
export async function exposeImage(folder: RunFolder, image: string): Promise<string> {
  const { ino } = await stat(image);
  const name = `${ino}-${basename(image).replace(/[^\w.-]/g, '_')}`;
  try {
    await link(image, join(folder.media, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return `${JAIL.mediaFolder}/${name}`;
}
