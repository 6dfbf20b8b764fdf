// Image files as block nodes. Every driver and every backing file is named here, so that QEMU never guesses a format and
// never follows a path that an image contains.
import { type BlockNode, MachineError } from './device.ts';
import type { Disk } from './model.ts';

type Format = 'qcow2' | 'raw';

interface Layer {
  readonly file: string;
  readonly format: Format;
}

/** Name of the node that a device uses for its medium. */
export const mediumNode = (deviceId: string) => nodeName(`node-${deviceId}`);

/**
 * The nodes of a disk in the order in which they have to be made: the deepest backing file first, the disk's own last.
 * A backing file is opened read-only with a shared lock; the disk's own file is locked against a second writer.
 */
export function diskNodes(disk: Disk, vmFolder: string): BlockNode[] {
  const layers: Layer[] = [{ file: disk.file, format: disk.format }, ...disk.backing];
  return layers
    .flatMap((layer, depth) => {
      const suffix = depth === 0 ? '' : `.${depth}`;
      const isTop = depth === 0;
      const readOnly = !isTop || disk.readOnly;
      const options = { readOnly, discard: isTop && disk.discard };
      const backing = layer.format === 'qcow2' ? backingOf(disk, depth) : {};
      if (layer.format === 'raw' && depth < disk.backing.length) {
        throw new MachineError(`${disk.id}: a raw image has no backing file`);
      }
      return [
        { ...formatNode(`node-${disk.id}${suffix}`, `file-${disk.id}${suffix}`, layer.format, options), ...backing },
        fileNode(`file-${disk.id}${suffix}`, insideFolder(vmFolder, layer.file), options),
      ];
    })
    .toReversed();
}

// `null` says that there is none, whatever the image's header claims.
function backingOf(disk: Disk, depth: number): { backing: string | null } {
  return { backing: depth < disk.backing.length ? nodeName(`node-${disk.id}.${depth + 1}`) : null };
}

/** The nodes of a CD-ROM or floppy medium: always raw, whatever the file looks like. */
export function mediumNodes(deviceId: string, file: string, readOnly: boolean, vmFolder: string): BlockNode[] {
  const options = { readOnly, discard: false };
  return [
    fileNode(`file-${deviceId}`, insideFolder(vmFolder, file), options),
    formatNode(`node-${deviceId}`, `file-${deviceId}`, 'raw', options),
  ];
}

interface NodeOptions {
  readonly readOnly: boolean;
  readonly discard: boolean;
}

function formatNode(name: string, file: string, format: Format, { readOnly, discard }: NodeOptions): BlockNode {
  return {
    driver: format,
    'node-name': nodeName(name),
    file: nodeName(file),
    'read-only': readOnly,
    ...(discard ? { discard: 'unmap', 'detect-zeroes': 'unmap' } : {}),
  };
}

// Writes go through the host's page cache and are on disk when the guest has flushed them (`no-flush` stays off).
function fileNode(name: string, filename: string, { readOnly, discard }: NodeOptions): BlockNode {
  return {
    driver: 'file',
    'node-name': nodeName(name),
    filename,
    'read-only': readOnly,
    locking: 'on',
    cache: { direct: false, 'no-flush': false },
    ...(discard ? { discard: 'unmap' } : {}),
  };
}

/** A path of the model as QEMU sees it: relative to the VM's folder, or absolute. */
export function insideFolder(vmFolder: string, file: string): string {
  if (file === '' || file.includes('\0')) throw new MachineError(`not a file name: ${JSON.stringify(file)}`);
  return file.startsWith('/') ? file : `${vmFolder}/${file}`;
}

// QEMU: at most 31 characters, a letter first, then letters, digits, `-`, `.` and `_`.
function nodeName(name: string): string {
  if (!/^[A-Za-z][\w.-]{0,30}$/.test(name)) throw new MachineError(`not a block node name: ${JSON.stringify(name)}`);
  return name;
}
