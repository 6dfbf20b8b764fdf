// Gives a file of a datastore to the network: whole or a range, with what caches and resuming clients need to know.
import { constants, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Location, subjectOf } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import { withFileFaults } from '../datastore/file-faults.ts';
import type { FlatReading } from '../virtual-disk-manager/virtual-disks.ts';
import { parseRange } from './byte-range.ts';
import { contentType } from './content-type.ts';

/** Bytes read at once. */
const PIECE_BYTES = 256 * 1024;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface FileAnswer {
  readonly status: 200 | 206 | 304 | 416;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent when there is nothing to send. Reading it to the end, or destroying it, closes the file. */
  readonly body?: Readable;
}

/** Something that is read by position: a file, or a disk behind an image program. */
export interface ByteSource {
  readonly sizeBytes: number;
  readonly modified: Date;
  readonly etag: string;
  /** The bytes from `start` to `end`, inclusive. The source is closed with the stream. */
  read(start: number, end: number): Readable;
  /** For a source that was never read. */
  close(): Promise<void>;
}

/** Opens a regular file. Faults: FileNotFound, NotAFile, CannotAccessFile. */
export async function openFileSource(place: Location): Promise<ByteSource> {
  const { folder, name } = await place.datastore.openParent(place.path);
  await using _ = folder;
  return await withFileFaults(subjectOf(place), async () => {
    const handle = await folder.file(name, constants.O_RDONLY);
    const stats = await handle.stat();
    return {
      sizeBytes: stats.size,
      modified: stats.mtime,
      etag: etagOf(stats),
      read: (start, end) => readHandle(handle, start, end),
      close: () => handle.close(),
    };
  });
}

/** A thin disk as its raw content. */
export function flatSource({ disk, sizeBytes, read, release }: FlatReading): ByteSource {
  const { modified, allocatedBytes } = disk.data;
  return {
    sizeBytes,
    modified,
    etag: `"${disk.descriptor.cid}-${allocatedBytes.toString(16)}-${modified.getTime().toString(16)}"`,
    read(start, end) {
      const stream = read(start, end);
      stream.once('close', release);
      return stream;
    },
    close: async () => release(),
  };
}

/** The answer to a GET (or HEAD) of `source`, which it closes in the end. */
export async function answerWithFile(
  place: Location,
  source: ByteSource,
  request: { readonly method: string; readonly headers: Headers },
): Promise<FileAnswer> {
  const { headers } = request;
  const common = {
    'accept-ranges': 'bytes',
    'content-type': contentType(splitPath(place.path).name),
    etag: source.etag,
    'last-modified': source.modified.toUTCString(),
    'x-content-type-options': 'nosniff',
  };
  const answer = planAnswer(source, headers);
  const hasBody = request.method !== 'HEAD' && (answer.status === 200 || answer.status === 206) && answer.length > 0;
  if (!hasBody) await source.close();
  const body = hasBody ? source.read(answer.start, answer.start + answer.length - 1) : undefined;
  return {
    status: answer.status,
    headers: { ...common, ...answer.headers },
    ...(body ? { body } : {}),
  };
}

interface Plan {
  readonly status: FileAnswer['status'];
  readonly start: number;
  readonly length: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Which part is sent with which status. Pure. */
export function planAnswer(source: Pick<ByteSource, 'sizeBytes' | 'etag' | 'modified'>, headers: Headers): Plan {
  const { sizeBytes } = source;
  const nothing = { start: 0, length: 0 };
  if (isUnchanged(source, headers)) return { status: 304, ...nothing, headers: {} };
  const range = isRangeCurrent(source, headers) ? parseRange(one(headers['range']), sizeBytes) : 'whole';
  if (range === 'unsatisfiable') {
    return { status: 416, ...nothing, headers: { 'content-range': `bytes */${sizeBytes}`, 'content-length': '0' } };
  }
  if (range === 'whole') {
    return { status: 200, start: 0, length: sizeBytes, headers: { 'content-length': `${sizeBytes}` } };
  }
  const length = range.end - range.start + 1;
  const contentRange = `bytes ${range.start}-${range.end}/${sizeBytes}`;
  return {
    status: 206,
    start: range.start,
    length,
    headers: { 'content-range': contentRange, 'content-length': `${length}` },
  };
}

function isUnchanged({ etag, modified }: Pick<ByteSource, 'etag' | 'modified'>, headers: Headers): boolean {
  const match = one(headers['if-none-match']);
  if (match !== undefined) return match === '*' || match.split(',').some((tag) => tag.trim() === etag);
  const since = Date.parse(one(headers['if-modified-since']) ?? '');
  return Math.floor(modified.getTime() / 1000) * 1000 <= since;
}

// If-Range: the rest of an older file must not be put behind the beginning of that one.
function isRangeCurrent({ etag, modified }: Pick<ByteSource, 'etag' | 'modified'>, headers: Headers): boolean {
  const condition = one(headers['if-range']);
  if (condition === undefined) return true;
  return condition === etag || Date.parse(condition) === Math.floor(modified.getTime() / 1000) * 1000;
}

function etagOf({ ino, size, mtimeMs }: Stats): string {
  return `"${ino.toString(16)}-${size.toString(16)}-${Math.floor(mtimeMs * 1000).toString(16)}"`;
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function readHandle(handle: FileHandle, start: number, end: number): Readable {
  const stream = Readable.from(pieces(handle, start, end), { objectMode: false, highWaterMark: PIECE_BYTES });
  stream.once('close', () => void handle.close().catch(() => undefined));
  return stream;
}

// Fails rather than sends less than was promised: the client would take the next answer for the rest.
async function* pieces(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let position = start; position <= end; ) {
    const length = Math.min(PIECE_BYTES, end - position + 1);
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
    if (bytesRead === 0) throw new Error('the file became shorter while it was sent');
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
