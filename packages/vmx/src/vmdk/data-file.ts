// Where the bytes of a disk of Vivarium's own lie, as its descriptor tells.
import type { DiskFacts } from '../environment.ts';
import {
  capacityOf,
  DATA_KEY,
  EAGER_KEY,
  FORMAT_KEY,
  NO_PARENT,
  type VmdkDescriptor,
  VmdkSyntaxError,
} from './descriptor.ts';
import { parseDdbUuid } from './disk-uuid.ts';
import { isPlainFileName } from './file-name.ts';

export interface DataFile {
  /** Plain name, beside the descriptor. */
  readonly fileName: string;
  readonly format: 'qcow2' | 'raw';
}

/**
 * The data file of a descriptor that is used in place (createType vmfs or vmfsSparse, one extent).
 * Throws VmdkSyntaxError when it is anything else, so that a descriptor that someone wrote into the datastore cannot name
 * a file outside its folder. What is in a qcow2 file (backing or data file of its own) is the caller's to check.
 */
export function dataFileOf(descriptor: VmdkDescriptor): DataFile {
  const [extent, ...more] = descriptor.extents;
  if (!extent || more.length > 0 || extent.access !== 'RW' || (extent.offset ?? 0) !== 0) {
    throw new VmdkSyntaxError('badLine', 'not one writable extent');
  }
  const format = descriptor.ddb.get(FORMAT_KEY) ?? 'raw';
  const isDelta = descriptor.createType === 'vmfsSparse' && extent.type === 'VMFSSPARSE';
  const isBase = descriptor.createType === 'vmfs' && extent.type === 'VMFS';
  if (format === 'qcow2' && (isBase || isDelta)) return plain(descriptor.ddb.get(DATA_KEY), 'qcow2');
  const isFlat = isBase || (descriptor.createType === 'monolithicFlat' && extent.type === 'FLAT');
  if (format === 'raw' && isFlat && descriptor.parentCid === NO_PARENT) return plain(extent.fileName, 'raw');
  throw new VmdkSyntaxError('badLine', `a disk of type ${descriptor.createType} cannot be used in place`);
}

function plain(fileName: string | undefined, format: DataFile['format']): DataFile {
  if (fileName === undefined || !isPlainFileName(fileName))
    throw new VmdkSyntaxError('badLine', 'not a plain file name');
  return { fileName, format };
}

/** What the API says of the disk. `folder` is the descriptor's datastore folder, e.g. `[datastore1] web/`. */
export function diskFactsOf(descriptor: VmdkDescriptor, parentPath?: string): DiskFacts {
  const adapter = descriptor.ddb.get('adapterType');
  const isThin = descriptor.ddb.get('thinProvisioned') === '1' || descriptor.parentCid !== NO_PARENT;
  const isEager = descriptor.ddb.get(EAGER_KEY) === '1';
  return {
    capacityBytes: capacityOf(descriptor),
    provisioning: isThin ? 'thin' : isEager ? 'eagerZeroedThick' : 'lazyZeroedThick',
    adapter: adapter === 'ide' || adapter === 'buslogic' ? adapter : 'lsilogic',
    uuid: parseDdbUuid(descriptor.ddb.get('uuid') ?? '') ?? '',
    contentId: descriptor.cid,
    ...(parentPath === undefined ? {} : { parent: parentPath }),
  };
}
