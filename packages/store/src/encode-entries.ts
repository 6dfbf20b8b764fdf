// History entries, checked and put into text before any engine sees them. Pure.
import { checkKey, encodeValue, limits } from './encode-batch.ts';
import { BatchTooLarge, StoreError } from './errors.ts';
import type { HistoryEntry } from './history.ts';

export interface EncodedEntry {
  readonly key: number;
  readonly timeMs: number;
  readonly json: string;
}

/** Throws BatchTooLarge or StoreError. Times are kept in whole milliseconds. */
export function encodeEntries(stream: string, entries: readonly HistoryEntry[]): EncodedEntry[] {
  checkStream(stream);
  let bytes = 0;
  const encoded = entries.map(({ key, timeMs, value }) => {
    if (!Number.isSafeInteger(key) || key <= 0) throw new StoreError(`${stream}: not the key of an entry: ${key}`);
    const json = encodeValue(`${stream}/${key}`, value);
    bytes += Buffer.byteLength(json);
    return { key, timeMs: Math.round(timeMs), json };
  });
  if (bytes > limits.bytes / 2) throw new BatchTooLarge('bytes', limits.bytes / 2, bytes);
  return encoded;
}

/** Throws StoreError for what is no name of a stream. */
export function checkStream(stream: string): void {
  checkKey(stream);
  if (stream.includes('/')) throw new StoreError(`a stream's name has no slash: ${stream}`);
}
