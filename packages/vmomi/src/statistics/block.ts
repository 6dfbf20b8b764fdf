// One block of the archive: what up to 64 entities had at one time. A format, pure:
//
//   count, then for each entity by its slot: slot, layout, length of its figures in bytes, its figures
//
// All numbers are unsigned LEB128; a figure is one more than its value, so that 0 is MISSING. A layout names the metrics of
// the figures (see archive.ts). At vCenter's level 1 a VM takes some 30 bytes.
import { MISSING } from './metric.ts';

export interface BlockEntry {
  /** Number of the entity in the block. */
  readonly slot: number;
  /** Number of the list of metrics that `values` belongs to. */
  readonly layout: number;
  readonly values: readonly number[];
}

export function encodeBlock(entries: readonly BlockEntry[]): Uint8Array {
  const bytes: number[] = [];
  writeNumber(bytes, entries.length);
  for (const { slot, layout, values } of entries) {
    const figures: number[] = [];
    for (const value of values) writeNumber(figures, value === MISSING ? 0 : value + 1);
    writeNumber(bytes, slot);
    writeNumber(bytes, layout);
    writeNumber(bytes, figures.length);
    for (const byte of figures) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** The entries that `wants` takes; the figures of the others are skipped. Throws RangeError when the bytes are no block. */
export function decodeBlock(bytes: Uint8Array, wants: (slot: number) => boolean = () => true): BlockEntry[] {
  const reader = { bytes, at: 0 };
  const entries: BlockEntry[] = [];
  for (let left = readNumber(reader); left > 0; left--) {
    const slot = readNumber(reader);
    const layout = readNumber(reader);
    const end = readNumber(reader) + reader.at;
    if (end > bytes.length) throw new RangeError('a block ends too early');
    if (wants(slot)) {
      const values: number[] = [];
      while (reader.at < end) values.push(readNumber(reader) - 1);
      entries.push({ slot, layout, values });
    }
    reader.at = end;
  }
  return entries;
}

// By arithmetic, not by bits: figures may be longer than 32 bits.
function writeNumber(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

function readNumber(reader: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
    const byte = reader.bytes[reader.at];
    if (byte === undefined) break;
    reader.at += 1;
    value += (byte % 128) * scale;
    if (byte < 128) return value;
  }
  throw new RangeError('a block ends within a number');
}
