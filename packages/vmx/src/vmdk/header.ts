// The binary head of virtual disk files (Virtual Disk Format 5.0, "Hosted Sparse Extents"). Little endian throughout.

export interface SparseHeader {
  readonly version: number;
  readonly flags: number;
  /** In sectors, as are all sizes and offsets below. */
  readonly capacitySectors: number;
  readonly grainSectors: number;
  readonly descriptorOffset: number;
  readonly descriptorSectors: number;
  readonly entriesPerTable: number;
  /** `undefined` = at the end of the file, see the footer (streamOptimized). */
  readonly grainDirectoryOffset: number | undefined;
  readonly overheadSectors: number;
  readonly isCompressed: boolean;
  readonly hasMarkers: boolean;
  /** 0 none, 1 deflate. */
  readonly compression: number;
}

export type VmdkHead =
  | { readonly kind: 'sparse'; readonly header: SparseHeader }
  /** A text descriptor. */
  | { readonly kind: 'descriptor' }
  /** COWD: the sparse format of ESX redo logs before SEsparse. */
  | { readonly kind: 'cowd' }
  | { readonly kind: 'seSparse' }
  | { readonly kind: 'qcow2' }
  | { readonly kind: 'damaged'; readonly why: string }
  | { readonly kind: 'other' };

export const SPARSE_HEADER_BYTES = 512;
const GRAIN_DIRECTORY_AT_END = 0xffff_ffff_ffff_ffffn;
const FLAG_NEWLINE_TEST = 1;
const FLAG_COMPRESSED = 1 << 16;
const FLAG_MARKERS = 1 << 17;

/** Says what a file is by its first bytes (512 are enough; fewer are accepted). */
export function inspectVmdkHeader(bytes: Uint8Array): VmdkHead {
  const magic = new TextDecoder('latin1').decode(bytes.subarray(0, 4));
  if (magic === 'KDMV') return sparseHead(bytes);
  if (magic === 'COWD') return { kind: 'cowd' };
  if (magic === 'QFI\xfb') return { kind: 'qcow2' };
  if (bytes.length >= 8 && view(bytes).getBigUint64(0, true) === 0xcafebaben) return { kind: 'seSparse' };
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 512)).replace(/^ï»¿/, '');
  return /^\s*(#\s*Disk DescriptorFile|version\s*=|CID\s*=|createType\s*=)/i.test(start)
    ? { kind: 'descriptor' }
    : { kind: 'other' };
}

function sparseHead(bytes: Uint8Array): VmdkHead {
  if (bytes.length < SPARSE_HEADER_BYTES) return { kind: 'damaged', why: 'the header is cut off' };
  const data = view(bytes);
  const version = data.getUint32(4, true);
  const flags = data.getUint32(8, true);
  const [capacity, grain, descriptorOffset, descriptorSize] = [12, 20, 28, 36].map((at) => data.getBigUint64(at, true));
  const directory = data.getBigUint64(56, true);
  const overhead = data.getBigUint64(64, true);
  const numbers = [capacity, grain, descriptorOffset, descriptorSize, overhead];
  if (directory !== GRAIN_DIRECTORY_AT_END) numbers.push(directory);
  if (numbers.some((value) => value === undefined || value > BigInt(Number.MAX_SAFE_INTEGER) / 512n)) {
    return { kind: 'damaged', why: 'a size or offset in the header is absurd' };
  }
  // Bytes 73..76 are LF, space, CR, LF: a text-mode transfer changes them.
  const newlines = [0x0a, 0x20, 0x0d, 0x0a];
  if (flags & FLAG_NEWLINE_TEST && newlines.some((byte, index) => bytes[73 + index] !== byte)) {
    return { kind: 'damaged', why: 'the file went through a text-mode transfer' };
  }
  return {
    kind: 'sparse',
    header: {
      version,
      flags,
      capacitySectors: Number(capacity),
      grainSectors: Number(grain),
      descriptorOffset: Number(descriptorOffset),
      descriptorSectors: Number(descriptorSize),
      entriesPerTable: data.getUint32(44, true),
      grainDirectoryOffset: directory === GRAIN_DIRECTORY_AT_END ? undefined : Number(directory),
      overheadSectors: Number(overhead),
      isCompressed: (flags & FLAG_COMPRESSED) !== 0,
      hasMarkers: (flags & FLAG_MARKERS) !== 0,
      compression: data.getUint16(77, true),
    },
  };
}

/**
 * The footer of a streamOptimized file: its last 1024 bytes are a copy of the header (with the grain directory's place)
 * and the end-of-stream marker; 512 bytes before them is the footer marker. `tail` = at least the last 1536 bytes.
 */
export function inspectVmdkFooter(tail: Uint8Array): VmdkHead {
  if (tail.length < 1536) return { kind: 'damaged', why: 'the file is too short for a footer' };
  const at = tail.length - 1024;
  const end = tail.subarray(at + 512);
  const marker = view(tail.subarray(at - 512));
  if (end.some((byte) => byte !== 0) || marker.getUint32(12, true) !== 3) {
    return { kind: 'damaged', why: 'the file does not end with a footer: the transfer was cut off' };
  }
  const head = inspectVmdkHeader(tail.subarray(at, at + 512));
  return head.kind === 'sparse' || head.kind === 'damaged'
    ? head
    : { kind: 'damaged', why: 'the footer is not a header' };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
