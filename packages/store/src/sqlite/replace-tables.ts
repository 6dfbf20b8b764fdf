// Replaces the whole contents: the new ones are staged in tables of their own, which then take the names of the old ones in
// one transaction. A process that is killed leaves staged tables; the next opening drops them.
import type { DatabaseSync } from 'node:sqlite';
import type { GroupCommit } from '../group-commit.ts';
import type { Item, Revision } from '../store.ts';

export const DOCUMENTS = '(key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID';
export const HISTORY = `(stream TEXT NOT NULL, key INTEGER NOT NULL, time INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (stream, key)) WITHOUT ROWID`;

/** Items in one transaction: short enough not to hold other writers up. */
const CHUNK = 500;

export async function stage(database: DatabaseSync, writer: GroupCommit, items: AsyncIterable<Item>): Promise<void> {
  await writer.submit(() => {
    dropStaged(database);
    database.exec(`CREATE TABLE documents_staged${DOCUMENTS}; CREATE TABLE history_staged${HISTORY}`);
    return () => {};
  });
  let chunk: Item[] = [];
  const flush = () => {
    const written = chunk;
    chunk = [];
    return writer.submit(() => {
      insert(database, written);
      return () => {};
    });
  };
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length === CHUNK) await flush();
  }
  await flush();
}

function insert(database: DatabaseSync, items: readonly Item[]): void {
  const document = database.prepare('INSERT OR REPLACE INTO documents_staged VALUES (?, ?, 0)');
  const entry = database.prepare('INSERT OR REPLACE INTO history_staged VALUES (?, ?, ?, ?)');
  for (const item of items) {
    if (item.kind === 'document') document.run(item.key, item.json);
    else entry.run(item.stream, item.key, item.timeMs, item.json);
  }
}

/** Inside a transaction. */
export function swapStaged(database: DatabaseSync, revision: Revision, keepHistory: boolean): void {
  database.prepare('UPDATE documents_staged SET revision = ?').run(revision);
  database.exec('DROP TABLE documents; ALTER TABLE documents_staged RENAME TO documents');
  if (keepHistory) {
    database.exec('DROP TABLE history_staged');
    return;
  }
  database.exec(`DROP TABLE history; ALTER TABLE history_staged RENAME TO history;
    CREATE INDEX history_by_time ON history(stream, time)`);
}

export function dropStaged(database: DatabaseSync): void {
  database.exec('DROP TABLE IF EXISTS documents_staged; DROP TABLE IF EXISTS history_staged');
}

export function hasStaged(database: DatabaseSync): boolean {
  const sql = "SELECT 1 FROM sqlite_schema WHERE name IN ('documents_staged', 'history_staged') LIMIT 1";
  return database.prepare(sql).get() !== undefined;
}
