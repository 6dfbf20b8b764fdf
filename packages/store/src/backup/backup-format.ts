// The text of a backup, which is then gzipped. Lines; fields are parted by tabs, which JSON never has bare:
//
//   {"format":"vivarium-backup","version":1,…}
//   d <key> <value>                          a document; key and value as JSON
//   e <stream> <key> <time in ms> <value>    a history entry
//   end {"documents":…,"entries":…,"sha256":…}   over everything before this line
import { StoreError } from '../errors.ts';
import type { Item, Revision } from '../store.ts';

const FORMAT = 'vivarium-backup';
const VERSION = 1;

export interface BackupHeader {
  /** Of the store at the moment of the backup. */
  readonly revision: Revision;
  /** ISO-8601. */
  readonly createdAt: string;
}

export interface BackupTrailer {
  readonly documents: number;
  readonly entries: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** The file is no backup, is damaged, or ends too early. Nothing was changed. */
export class BackupDamaged extends StoreError {
  override readonly name = 'BackupDamaged';
}

/** A newer program wrote it. Nothing was changed. */
export class BackupTooNew extends StoreError {
  override readonly name = 'BackupTooNew';
}

export function formatHeader(header: BackupHeader): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...header })}\n`;
}

export function formatItem(item: Item): string {
  return item.kind === 'document'
    ? `d\t${JSON.stringify(item.key)}\t${item.json}\n`
    : `e\t${JSON.stringify(item.stream)}\t${item.key}\t${item.timeMs}\t${item.json}\n`;
}

export function formatTrailer(trailer: BackupTrailer): string {
  return `end\t${JSON.stringify(trailer)}\n`;
}

/** Throws BackupDamaged or BackupTooNew. */
export function parseHeader(line: string): BackupHeader {
  const header = parseJson(line) as Partial<BackupHeader & { format: string; version: number }> | null;
  if (header?.format !== FORMAT || typeof header.version !== 'number')
    throw new BackupDamaged('not a backup of a store');
  if (header.version > VERSION) {
    throw new BackupTooNew(`the backup has version ${header.version}; this program reads up to ${VERSION}`);
  }
  return { revision: Number(header.revision), createdAt: String(header.createdAt) };
}

/** An item, or, at the end, the trailer. Throws BackupDamaged. */
export function parseLine(line: string): Item | BackupTrailer {
  const fields = line.split('\t');
  const [kind, first = '', second = '', third = '', fourth = ''] = fields;
  if (kind === 'd' && fields.length === 3) {
    parseJson(second);
    return { kind: 'document', key: String(parseJson(first)), json: second };
  }
  if (kind === 'e' && fields.length === 5) {
    parseJson(fourth);
    const [key, timeMs] = [Number(second), Number(third)];
    if (!Number.isSafeInteger(key) || !Number.isFinite(timeMs)) throw new BackupDamaged('not a history entry');
    return { kind: 'entry', stream: String(parseJson(first)), key, timeMs, json: fourth };
  }
  if (kind === 'end' && fields.length === 2) return parseTrailer(first);
  throw new BackupDamaged(`not a line of a backup: ${line.slice(0, 40)}`);
}

function parseTrailer(text: string): BackupTrailer {
  const { documents, entries, sha256 } = (parseJson(text) ?? {}) as Partial<BackupTrailer>;
  if (typeof documents !== 'number' || typeof entries !== 'number' || typeof sha256 !== 'string') {
    throw new BackupDamaged('not the end of a backup');
  }
  return { documents, entries, sha256 };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BackupDamaged('the backup is damaged', { cause });
  }
}
