// Which files running VMs hold open: nobody else may change them.
import { MethodFault } from '@vivarium/vim';

export interface FileUse {
  /** Absolute paths: descriptors, data files of disks and of those below them, everything else that a running VM has open. */
  inUse(): Iterable<string>;
}

/** Throws FileLocked when a running VM uses the file, or a file below it when it is a folder. `text`: its datastore path. */
export function checkNotInUse(use: FileUse, absolute: string, text: string): void {
  for (const path of use.inUse()) {
    if (path === absolute || path.startsWith(`${absolute}/`)) throw new MethodFault('FileLocked', { file: text });
  }
}

/** As checkNotInUse, for a reader: text files of a running VM may be read at any time, its disks change under the reader. */
export function checkReadable(use: FileUse, absolute: string, text: string): void {
  const disks = Array.from(use.inUse()).filter((file) => /(-flat|-delta)\.vmdk$|\.qcow2$/i.test(file));
  checkNotInUse({ inUse: () => disks }, absolute, text);
}
