// What the head of a qcow2 file admits about it (QEMU docs/interop/qcow2.txt): a thin disk's data file may have been put
// into the datastore by a stranger, and then names files of its own. Pure.

export const QCOW2_HEADER_BYTES = 112;

export interface Qcow2Header {
  readonly capacityBytes: number;
  /** Names a backing file. The VMM is always told the chain and never follows this, but nobody else puts one there. */
  readonly hasBacking: boolean;
}

export class Qcow2Refused extends Error {
  override readonly name = 'Qcow2Refused';
}

/** Incompatible features that change nothing about which files are read: dirty, corrupt, compression type, extended L2. */
const HARMLESS_FEATURES = 0b11011n;

/** Throws Qcow2Refused for anything that is no plain qcow2 file: another format, encryption, an external data file. */
export function inspectQcow2Header(bytes: Uint8Array): Qcow2Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 72 || view.getUint32(0) !== 0x514649fb) throw new Qcow2Refused('not a qcow2 file');
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) throw new Qcow2Refused(`qcow2 version ${version}`);
  if (view.getUint32(32) !== 0) throw new Qcow2Refused('an encrypted qcow2 file');
  if (version === 3) {
    if (bytes.length < 104) throw new Qcow2Refused('the qcow2 header is cut off');
    if (view.getBigUint64(72) & ~HARMLESS_FEATURES) throw new Qcow2Refused('a qcow2 file with an external data file');
  }
  const size = view.getBigUint64(24);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new Qcow2Refused('an absurd qcow2 size');
  return { capacityBytes: Number(size), hasBacking: view.getBigUint64(8) !== 0n };
}
