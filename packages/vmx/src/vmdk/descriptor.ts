// The text part of a virtual disk: what it says, without judging whether it may be used (check-upload.ts does that).
//
// Vivarium's own descriptors describe the view that the API gives: createType "vmfs" and one extent
// `RW <sectors> VMFS "name-flat.vmdk"`, so that whoever downloads descriptor and -flat file holds an ordinary VMware disk.
// A thin disk's data lies in a qcow2 file instead, which `ddb.vivarium.data` names; see data-file.ts.

/** One line of the extent description. Sizes and offsets in 512-byte sectors. */
export interface VmdkExtent {
  readonly access: 'RW' | 'RDONLY' | 'NOACCESS';
  readonly sectors: number;
  /** FLAT, SPARSE, ZERO, VMFS, VMFSSPARSE, SESPARSE, VMFSRDM, VMFSRAW …, upper case, as the file says it. */
  readonly type: string;
  /** Absent for ZERO. */
  readonly fileName?: string;
  /** Where the extent starts in a flat file. */
  readonly offset?: number;
}

export interface VmdkDescriptor {
  readonly version: number;
  /** 8 hex digits, lower case. */
  readonly cid: string;
  /** `ffffffff` = no parent. */
  readonly parentCid: string;
  /** As written: vmfs, monolithicSparse, monolithicFlat, twoGbMaxExtentSparse, streamOptimized, vmfsSparse … */
  readonly createType: string;
  readonly parentFileNameHint?: string;
  readonly extents: readonly VmdkExtent[];
  /** `ddb.*` in file order, the keys without `ddb.`. */
  readonly ddb: ReadonlyMap<string, string>;
  /** Header lines that are not named above, e.g. `encryption.keySafe`, `changeTrackPath`. */
  readonly other: ReadonlyMap<string, string>;
}

/** `ddb.vivarium.format`: absent = raw, the extent is the data file; `qcow2` = DATA_KEY names it. Keys without `ddb.`. */
export const FORMAT_KEY = 'vivarium.format';
export const DATA_KEY = 'vivarium.data';
/** VMware keeps eager zeroing in VMFS itself; a plain file system has no place for it but here. */
export const EAGER_KEY = 'vivarium.eagerZeroed';

export const NO_PARENT = 'ffffffff';
export const SECTOR_BYTES = 512;

export type VmdkSyntaxReason = 'tooLarge' | 'tooManyExtents' | 'badLine' | 'badNumber' | 'missing' | 'duplicate';

export class VmdkSyntaxError extends Error {
  override readonly name = 'VmdkSyntaxError';
  readonly reason: VmdkSyntaxReason;

  constructor(reason: VmdkSyntaxReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Sum of the extents in bytes. */
export function capacityOf(descriptor: { readonly extents: readonly VmdkExtent[] }): number {
  return descriptor.extents.reduce((sum, extent) => sum + extent.sectors * SECTOR_BYTES, 0);
}
