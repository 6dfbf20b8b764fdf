// A snapshot is a copy of the database file, made off the event loop. Nothing may be written meanwhile: Node's backup gives
// up (with "not an error") when its step meets a transaction of the same connection.
import { rmSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import type { Item, Snapshot } from '../store.ts';
import { keepPrivate } from './keep-private.ts';
import { sqliteError } from './sqlite-error.ts';

const PAGES_A_STEP = 1_000;
/** Rows that are read before the event loop turns. */
const ROWS = 500;

export async function takeSnapshot(source: DatabaseSync, path: string): Promise<Snapshot> {
  const remove = () => {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
  };
  try {
    keepPrivate(path);
    await backup(source, path, { rate: PAGES_A_STEP });
    const database = new DatabaseSync(path);
    const revision = Number(database.prepare('SELECT revision FROM revision').get()?.['revision'] ?? 0);
    return {
      revision,
      items: () => readItems(database),
      [Symbol.asyncDispose]: async () => {
        if (database.isOpen) database.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw sqliteError(`snapshot ${path}`, error);
  }
}

async function* readItems(database: DatabaseSync): AsyncGenerator<Item> {
  let rows = 0;
  const pause = async () => {
    rows += 1;
    if (rows % ROWS === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  for (const row of database.prepare('SELECT key, value FROM documents ORDER BY key').iterate()) {
    yield { kind: 'document', key: String(row['key']), json: String(row['value']) };
    await pause();
  }
  for (const row of database.prepare('SELECT stream, key, time, value FROM history ORDER BY stream, key').iterate()) {
    const [stream, json] = [String(row['stream']), String(row['value'])];
    yield { kind: 'entry', stream, key: Number(row['key']), timeMs: Number(row['time']), json };
    await pause();
  }
}
