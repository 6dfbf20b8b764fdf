// Files that a device of a spec names: ISO images, floppy images, outputs of serial ports.
import { normalizeDatastorePath, parseDatastorePath } from '../../config/datastore-path.ts';
import { isProductImage } from '../../config/product-image.ts';
import type { DeviceChange, DeviceDraft } from '../device-draft.ts';
import { deviceFault } from '../device-fault.ts';

/** A canonical datastore path on a datastore of this host. Empty only when `mayBeEmpty`. */
export function filePath(fileName: string, { index }: DeviceChange, draft: DeviceDraft, mayBeEmpty: boolean): string {
  const text = fileName.trim();
  if (text === '' && mayBeEmpty) return '';
  if (isProductImage(text)) return text;
  const path = normalizeDatastorePath(text);
  const parsed = path === undefined ? undefined : parseDatastorePath(path);
  const isKnown = draft.settings.env.datastores.some(({ name }) => name === parsed?.datastore);
  if (path === undefined || !parsed || !isKnown)
    throw deviceFault('InvalidDeviceBacking', index, 'device.backing.fileName');
  if (parsed.path === '' && mayBeEmpty) return '';
  if (parsed.path === '') throw deviceFault('InvalidDeviceBacking', index, 'device.backing.fileName');
  return path;
}

/** Kinds of files that the host itself keeps; a guest's output must not be written into one. */
const OWN_FILES = /\.(vmdk|qcow2|vmx|vmtx|vmxf|vmsd|vmsn|vmss|vmem|vswp|nvram|lck)$/i;

export function outputPath(fileName: string, change: DeviceChange, draft: DeviceDraft): string {
  const path = filePath(fileName, change, draft, false);
  if (OWN_FILES.test(path) || path.startsWith('[] ')) {
    throw deviceFault('InvalidDeviceBacking', change.index, 'device.backing.fileName');
  }
  return path;
}
