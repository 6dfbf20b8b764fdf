// Writes everything that a store holds at one revision into a stream, and reads it back.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { type Clock, dateTime } from '@vivarium/base';
import { checkKey } from '../encode-batch.ts';
import { checkStream } from '../encode-entries.ts';
import { StoreError } from '../errors.ts';
import type { Item, Store } from '../store.ts';
import {
  BackupDamaged,
  type BackupHeader,
  type BackupTrailer,
  formatHeader,
  formatItem,
  formatTrailer,
  parseHeader,
  parseLine,
} from './backup-format.ts';

/** Text is handed on in pieces of about this size. */
const PIECE = 64 << 10;
const MOST_LINE = 64 << 20;

export interface BackupSummary extends BackupHeader, BackupTrailer {}

/**
 * Writes a backup, as gzipped text, and ends the sink: locks apart, everything, at one revision, while the store works on. It
 * holds whatever the documents hold, secrets too. Rejects with what the sink or the store says.
 */
export async function backupStore(store: Store, sink: NodeJS.WritableStream, clock: Clock): Promise<BackupSummary> {
  await using snapshot = await store.snapshot();
  const header = { revision: snapshot.revision, createdAt: dateTime(clock) };
  let trailer: BackupTrailer | undefined;
  const text = async function* (): AsyncGenerator<string> {
    const hash = createHash('sha256');
    let piece = formatHeader(header);
    const count = { document: 0, entry: 0 };
    for await (const item of snapshot.items()) {
      count[item.kind] += 1;
      piece += formatItem(item);
      if (piece.length < PIECE) continue;
      hash.update(piece);
      yield piece;
      piece = '';
    }
    hash.update(piece);
    trailer = { documents: count.document, entries: count.entry, sha256: hash.digest('hex') };
    yield piece + formatTrailer(trailer);
  };
  await pipeline(Readable.from(text(), { objectMode: false }), createGzip(), sink);
  if (!trailer) throw new StoreError('the backup was not written to its end');
  return { ...header, ...trailer };
}

/**
 * Puts a backup in the place of everything in the store. It is read to its end, and its checksum compared, before anything
 * is changed; then everything is, at once. Whoever uses the store has to be kept from it: take its lock first and give the
 * guarded store. Rejects with BackupDamaged, BackupTooNew, what reading the source says, or as Store.replace does.
 */
export async function restoreStore(store: Store, source: AsyncIterable<Uint8Array>): Promise<BackupSummary> {
  let summary: BackupSummary | undefined;
  const items = async function* (): AsyncGenerator<Item> {
    summary = yield* readBackup(source);
  };
  await store.replace(items());
  if (!summary) throw new BackupDamaged('the backup is empty');
  return summary;
}

async function* readBackup(source: AsyncIterable<Uint8Array>): AsyncGenerator<Item, BackupSummary> {
  const hash = createHash('sha256');
  const count = { document: 0, entry: 0 };
  let header: BackupHeader | undefined;
  let trailer: BackupTrailer | undefined;
  for await (const line of linesOf(source)) {
    if (trailer) throw new BackupDamaged('something follows the end of the backup');
    if (!header) {
      header = parseHeader(line);
    } else {
      const parsed = parseLine(line);
      if ('sha256' in parsed) {
        trailer = parsed;
        continue;
      }
      count[parsed.kind] += 1;
      if (parsed.kind === 'document') checkKey(parsed.key);
      else checkStream(parsed.stream);
      yield parsed;
    }
    hash.update(line).update('\n');
  }
  if (!header || !trailer) throw new BackupDamaged('the backup ends too early');
  if (trailer.sha256 !== hash.digest('hex')) throw new BackupDamaged("the backup's checksum is wrong");
  if (trailer.documents !== count.document || trailer.entries !== count.entry) {
    throw new BackupDamaged('the backup does not have what it says');
  }
  return { ...header, ...trailer };
}

async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const zipped = Readable.from(source);
  const unzipped = zipped.pipe(createGunzip());
  let unread: Error | undefined; // a pipe does not hand the errors of its source on
  zipped.on('error', (error) => {
    unread = error;
    unzipped.destroy(error);
  });
  let rest = '';
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for await (const chunk of unzipped as AsyncIterable<Buffer>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MOST_LINE) throw new BackupDamaged('a line that does not end');
      yield* lines;
    }
    if (rest !== '') throw new BackupDamaged('the backup ends too early');
  } catch (cause) {
    throw cause instanceof StoreError || cause === unread
      ? cause
      : new BackupDamaged('the backup is damaged', { cause });
  } finally {
    zipped.destroy();
    unzipped.destroy();
  }
}
