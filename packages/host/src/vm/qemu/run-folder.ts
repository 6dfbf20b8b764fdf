// The folder of a running VM outside its datastore: sockets and process record; and the folder of hard links to images that
// lie elsewhere. Both come with a power-on and go with the power-off; what a crash left is swept at the next start.
import { chmod, chown, link, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where images from elsewhere appear inside the jail. */
export const MEDIA_FOLDER = '/media';

/** Names in a datastore's root that the sweep of half-made files leaves alone. */
export const MEDIA_PREFIX = '.viv-media-';

export interface RunFolder {
  /** Absolute; ours alone. */
  readonly path: string;
  /** The part of it that the VMM may write to: sockets, screenshots. */
  readonly vmm: string;
  /** Absolute: hard links to images, on the datastore's file system; its names appear below MEDIA_FOLDER. */
  readonly media: string;
}

export function runFolderOf(runRoot: string, vm: string, datastoreRoot: string): RunFolder {
  const path = join(runRoot, vm);
  return { path, vmm: join(path, 'vmm'), media: join(datastoreRoot, `${MEDIA_PREFIX}${vm}`) };
}

/** Makes the folder anew for `uid`. */
export async function makeRunFolder(folder: RunFolder, uid: number | undefined): Promise<void> {
  await removeRunFolder(folder);
  await mkdir(folder.vmm, { recursive: true, mode: 0o700 });
  await mkdir(folder.media, { mode: 0o755 });
  await chmod(folder.media, 0o755);
  if (uid !== undefined) await chown(folder.vmm, uid, uid);
}

export async function removeRunFolder(folder: RunFolder): Promise<void> {
  await rm(folder.path, { recursive: true, force: true });
  await rm(folder.media, { recursive: true, force: true });
}

/** The socket of a serial port, in the part that the VMM may write to. Pure. */
export function serialSocketName(device: string): string {
  return `${device}.sock`;
}

/** The name of an image in the media folder. Pure. */
export function mediaName(image: string): string {
  return image.replace(/[^\w.-]/g, '_').slice(-200);
}

/**
 * Lets the jail see an image by a hard link in the media folder, also while the VM runs. Returns false when the image lies
 * on another file system, where no link can lead; its name is then an empty file that something may be mounted on.
 */
export async function linkImage(folder: RunFolder, name: string, image: string): Promise<boolean> {
  const target = join(folder.media, name);
  try {
    await link(image, target);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return (await stat(target)).ino === (await stat(image)).ino;
    if (code !== 'EXDEV') throw error;
    await writeFile(target, '');
    return false;
  }
}
