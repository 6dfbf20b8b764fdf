// How entries of a stream are kept in one value of etcd: a line with their keys and times as JSON, then a line of JSON for
// each value; as it is (first byte 'j') or deflated (first byte 'z'), which makes events about eight times smaller.
import { promisify } from 'node:util';
import { deflateRaw, inflateRawSync } from 'node:zlib';
import type { EncodedEntry } from '../encode-entries.ts';

const PLAIN = 'j'.charCodeAt(0);
const DEFLATED = 'z'.charCodeAt(0);
const deflate = promisify(deflateRaw);

export function encodePlainChunk(entries: readonly EncodedEntry[]): Buffer {
  return Buffer.concat([Buffer.of(PLAIN), Buffer.from(textOf(entries))]);
}

export async function encodeDeflatedChunk(entries: readonly EncodedEntry[]): Promise<Buffer> {
  return Buffer.concat([Buffer.of(DEFLATED), await deflate(textOf(entries))]);
}

export interface ChunkLines {
  readonly heads: readonly (readonly [key: number, timeMs: number])[];
  /** In the order of the heads. */
  readonly values: readonly string[];
}

/** Throws when the value is no chunk. */
export function decodeChunk(value: Buffer): ChunkLines {
  const body = value.subarray(1);
  if (value[0] !== PLAIN && value[0] !== DEFLATED) throw new Error(`not a history chunk: it begins with ${value[0]}`);
  const lines = (value[0] === PLAIN ? body : inflateRawSync(body)).toString('utf8').split('\n');
  const heads = JSON.parse(lines[0] ?? '') as ChunkLines['heads'];
  if (heads.length !== lines.length - 1) throw new Error('not a history chunk: entries are missing');
  return { heads, values: lines.slice(1) };
}

function textOf(entries: readonly EncodedEntry[]): string {
  const heads = JSON.stringify(entries.map(({ key, timeMs }) => [key, timeMs]));
  return [heads, ...entries.map(({ json }) => json)].join('\n');
}
