// May this uploaded virtual disk be opened by an image program? Decided from bytes that the caller read, before anything
// else looks at the file: QEMU's VMDK driver opens whatever path an extent or a parent hint names, and no option forbids
// it. Tells the caller exactly which files to open as what, or why not.
import {
  capacityOf,
  NO_PARENT,
  SECTOR_BYTES,
  type VmdkDescriptor,
  type VmdkExtent,
  VmdkSyntaxError,
} from './descriptor.ts';
import { isPlainFileName } from './file-name.ts';
import { inspectVmdkFooter, inspectVmdkHeader, type SparseHeader } from './header.ts';
import { parseVmdkDescriptor } from './parse-descriptor.ts';

/** Largest virtual disk of vSphere. */
export const MAX_DISK_BYTES = 62 * 1024 ** 4;

/** What the caller knows of a file. Symbolic links are the caller's check: a name here is a regular file of the folder. */
export interface UploadedFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** The first bytes: the whole descriptor (64 KiB are enough for a sparse file's embedded one), less for short files. */
  readonly head: Uint8Array;
  /** The last 1536 bytes. */
  readonly tail: Uint8Array;
}

export type UploadKind = 'streamOptimized' | 'monolithicSparse' | 'flat' | 'twoGbSparse' | 'twoGbFlat';

export interface UploadPlan {
  readonly kind: UploadKind;
  readonly capacityBytes: number;
  /** Files in guest order, plain names; for a single sparse file the file itself. */
  readonly extents: readonly PlannedExtent[];
  /** As the source says: `lsilogic`, `ide` … */
  readonly adapterType: string;
  readonly descriptor: VmdkDescriptor;
}

export interface PlannedExtent {
  readonly fileName: string;
  readonly format: 'sparse' | 'raw';
  readonly sizeBytes: number;
  /** Where a raw extent starts in its file. */
  readonly offsetBytes: number;
}

export type RefusalReason =
  | 'notADisk'
  | 'damaged'
  | 'unsupported'
  | 'encrypted'
  | 'hasParent'
  | 'unsafeExtent'
  | 'missingExtent'
  | 'badSize';

export interface UploadRefusal {
  readonly kind: 'refused';
  readonly reason: RefusalReason;
  /** English, for the fault's message. Names nothing outside the upload. */
  readonly message: string;
}

class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** `findFile` answers for plain names in the folder of `file`. */
export function checkUpload(
  file: UploadedFile,
  findFile: (name: string) => UploadedFile | undefined,
): UploadPlan | UploadRefusal {
  try {
    const head = inspectVmdkHeader(file.head);
    if (head.kind === 'sparse') return checkSparseFile(file, head.header);
    if (head.kind === 'descriptor') return checkDescriptorFile(file, findFile);
    if (head.kind === 'damaged') throw new Refused('damaged', head.why);
    if (head.kind === 'cowd') throw new Refused('unsupported', 'COWD sparse disks (ESX redo logs) cannot be imported');
    if (head.kind === 'seSparse') throw new Refused('unsupported', 'SEsparse delta disks cannot be imported');
    throw new Refused('notADisk', 'the file is not a VMDK');
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', reason: error.reason, message: error.message };
    if (error instanceof VmdkSyntaxError) return { kind: 'refused', reason: 'damaged', message: error.message };
    throw error;
  }
}

function checkSparseFile(file: UploadedFile, header: SparseHeader): UploadPlan {
  checkSparseHeader(header);
  const start = header.descriptorOffset * SECTOR_BYTES;
  const end = start + header.descriptorSectors * SECTOR_BYTES;
  if (start === 0 || end > file.head.length)
    throw new Refused('damaged', 'the embedded descriptor is missing or too far in');
  const bytes = file.head.subarray(start, end);
  const terminator = bytes.indexOf(0);
  const descriptor = parseVmdkDescriptor(terminator < 0 ? bytes : bytes.subarray(0, terminator));
  checkDescriptor(descriptor, file.head);
  if (descriptor.createType !== 'streamOptimized' && descriptor.createType !== 'monolithicSparse') {
    throw new Refused('unsupported', `a sparse file of type ${printable(descriptor.createType)} cannot be imported`);
  }
  const extent = descriptor.extents[0];
  if (descriptor.extents.length !== 1 || extent?.type !== 'SPARSE' || extent.access !== 'RW') {
    throw new Refused('unsafeExtent', 'the embedded descriptor must have one SPARSE extent: the file itself');
  }
  // The name inside is the one that the exporter used; it is never opened, but a path in it is no accident.
  if (!isPlainFileName(extent.fileName ?? '')) throw new Refused('unsafeExtent', 'the extent is not a plain file name');
  if (extent.sectors !== header.capacitySectors)
    throw new Refused('badSize', 'header and descriptor differ in capacity');
  if (header.grainDirectoryOffset === undefined) checkFooter(file, header);
  return {
    kind: descriptor.createType,
    capacityBytes: checkCapacity(capacityOf(descriptor)),
    extents: [{ fileName: file.name, format: 'sparse', sizeBytes: capacityOf(descriptor), offsetBytes: 0 }],
    adapterType: descriptor.ddb.get('adapterType') ?? 'lsilogic',
    descriptor,
  };
}

function checkFooter(file: UploadedFile, header: SparseHeader): void {
  const footer = inspectVmdkFooter(file.tail);
  if (footer.kind !== 'sparse') throw new Refused('damaged', footer.kind === 'damaged' ? footer.why : 'no footer');
  checkSparseHeader(footer.header);
  if (footer.header.grainDirectoryOffset === undefined || footer.header.capacitySectors !== header.capacitySectors) {
    throw new Refused('damaged', 'header and footer differ');
  }
}

/** Capacity 0 makes QEMU follow the embedded descriptor as if it were a file of its own, so it is refused. */
function checkSparseHeader(header: SparseHeader): void {
  if (header.version < 1 || header.version > 3)
    throw new Refused('unsupported', `sparse format version ${header.version}`);
  if (header.capacitySectors === 0) throw new Refused('badSize', 'the header says a capacity of 0');
  checkCapacity(header.capacitySectors * SECTOR_BYTES);
  const { grainSectors, entriesPerTable } = header;
  const isPowerOfTwo = grainSectors > 0 && (grainSectors & (grainSectors - 1)) === 0;
  if (!isPowerOfTwo || grainSectors < 8 || grainSectors > 2048)
    throw new Refused('damaged', `grains of ${grainSectors} sectors`);
  if (entriesPerTable < 1 || entriesPerTable > 512)
    throw new Refused('damaged', `${entriesPerTable} entries a grain table`);
  if (header.compression > 1) throw new Refused('unsupported', 'an unknown compression');
}

function checkDescriptorFile(file: UploadedFile, findFile: (name: string) => UploadedFile | undefined): UploadPlan {
  if (file.sizeBytes > file.head.length) throw new Refused('damaged', 'the descriptor is too large');
  const descriptor = parseVmdkDescriptor(file.head);
  checkDescriptor(descriptor, file.head);
  const layout = layouts[descriptor.createType];
  if (!layout) throw new Refused('unsupported', `disks of type ${printable(descriptor.createType)} cannot be imported`);
  if (descriptor.extents.length === 0) throw new Refused('damaged', 'the descriptor has no extents');
  const capacityBytes = checkCapacity(capacityOf(descriptor));
  const extents = descriptor.extents.map((extent) => planExtent(extent, layout.extentType, findFile));
  checkOverlap(extents);
  return {
    kind: layout.kind,
    capacityBytes,
    extents,
    adapterType: descriptor.ddb.get('adapterType') ?? 'lsilogic',
    descriptor,
  };
}

const layouts: Readonly<Record<string, { kind: UploadKind; extentType: 'FLAT' | 'VMFS' | 'SPARSE' } | undefined>> = {
  monolithicFlat: { kind: 'flat', extentType: 'FLAT' },
  vmfs: { kind: 'flat', extentType: 'VMFS' },
  twoGbMaxExtentFlat: { kind: 'twoGbFlat', extentType: 'FLAT' },
  twoGbMaxExtentSparse: { kind: 'twoGbSparse', extentType: 'SPARSE' },
};

function planExtent(
  extent: VmdkExtent,
  type: 'FLAT' | 'VMFS' | 'SPARSE',
  findFile: (name: string) => UploadedFile | undefined,
): PlannedExtent {
  if (extent.type !== type) throw new Refused('unsupported', `an extent of type ${extent.type} cannot be imported`);
  if (extent.access !== 'RW')
    throw new Refused('unsupported', `an extent with access ${extent.access} cannot be imported`);
  if (extent.sectors === 0) throw new Refused('badSize', 'an empty extent');
  const fileName = extent.fileName ?? '';
  if (!isPlainFileName(fileName)) throw new Refused('unsafeExtent', 'an extent is not a plain file name');
  const found = findFile(fileName);
  if (!found) throw new Refused('missingExtent', `the extent ${printable(fileName)} is not in the folder`);
  const offsetBytes = (extent.offset ?? 0) * SECTOR_BYTES;
  const sizeBytes = extent.sectors * SECTOR_BYTES;
  if (type !== 'SPARSE') {
    if (offsetBytes + sizeBytes > found.sizeBytes)
      throw new Refused('badSize', `${printable(fileName)} is shorter than its extent`);
    return { fileName, format: 'raw', sizeBytes, offsetBytes };
  }
  const head = inspectVmdkHeader(found.head);
  if (head.kind !== 'sparse') throw new Refused('damaged', `${printable(fileName)} is not a sparse extent`);
  checkSparseHeader(head.header);
  checkNoEmbedded(head.header, found);
  if (head.header.capacitySectors !== extent.sectors)
    throw new Refused('badSize', `${printable(fileName)} has another capacity`);
  if (offsetBytes !== 0) throw new Refused('unsafeExtent', 'a sparse extent with an offset');
  return { fileName, format: 'sparse', sizeBytes, offsetBytes };
}

/** An extent of a split disk carries no descriptor of its own that could name a parent; QEMU leaves the room for one empty. */
function checkNoEmbedded(header: SparseHeader, file: UploadedFile): void {
  const start = header.descriptorOffset * SECTOR_BYTES;
  const end = start + header.descriptorSectors * SECTOR_BYTES;
  if (start === 0) return;
  if (end > file.head.length || file.head.subarray(start, end).some((byte) => byte !== 0)) {
    throw new Refused('unsafeExtent', `${printable(file.name)} has a descriptor of its own`);
  }
}

function checkOverlap(extents: readonly PlannedExtent[]): void {
  const byFile = Map.groupBy(extents, (extent) => extent.fileName);
  for (const parts of byFile.values()) {
    const sorted = parts.toSorted((a, b) => a.offsetBytes - b.offsetBytes);
    let end = 0;
    for (const part of sorted) {
      if (part.offsetBytes < end || (part.format === 'sparse' && parts.length > 1)) {
        throw new Refused('unsafeExtent', `extents overlap in ${printable(part.fileName)}`);
      }
      end = part.offsetBytes + part.sizeBytes;
    }
  }
}

function checkDescriptor(descriptor: VmdkDescriptor, raw: Uint8Array): void {
  const isEncrypted = Array.from(descriptor.other.keys()).some((key) => /^(encryption|crypto|keysafe)/i.test(key));
  if (isEncrypted || mentions(raw, 'encryption.keySafe'))
    throw new Refused('encrypted', 'encrypted disks cannot be imported');
  // QEMU looks for the hint anywhere in the text, so a hint in a comment counts too.
  const hint = descriptor.parentFileNameHint !== undefined || mentions(raw, 'parentFileNameHint');
  if (descriptor.parentCid !== NO_PARENT || hint) {
    throw new Refused('hasParent', 'a delta disk cannot be imported without its parent: consolidate it first');
  }
}

function checkCapacity(bytes: number): number {
  if (bytes <= 0 || bytes > MAX_DISK_BYTES)
    throw new Refused('badSize', `a capacity of ${bytes} bytes is not possible`);
  return bytes;
}

function mentions(bytes: Uint8Array, word: string): boolean {
  return new TextDecoder('latin1').decode(bytes).toLowerCase().includes(word.toLowerCase());
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
