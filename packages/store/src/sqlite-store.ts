// The store in one SQLite file. WAL with synchronous=FULL: a commit is one append to the log and one fsync.
//
// SQLite runs on the daemon's own thread. A commit takes 0.1 ms on a quiet SSD (reference/stack.md section 4: 10,500 a
// second), group commit makes it at most one a turn, and reads need no round trip to a worker, so that handlers read
// documents as plain values. A host writes little; where an fsync may take tens of milliseconds (a busy rotating disk)
// or writes come by the thousand (vCenter), the writer belongs into a worker thread behind this same interface.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { CompareFailed, StoreClosed, StoreError, storeError } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import type { History } from './history.ts';
import { SqliteHistory } from './sqlite-history.ts';
import type { Change, Compare, Doc, Op, RangeOptions, Revision, Store } from './store.ts';
import { Watchers } from './watchers.ts';

const FORMAT = 1;
const PAGE_BYTES = 4096;

export interface SqliteStoreOptions {
  /** The database never grows beyond this; writes get StoreFull then. Default: the disk is the bound. */
  readonly maxBytes?: number;
}

/** Opens or makes the store. Throws StoreLocked when another process has it, StoreError when it cannot be read. */
export function openSqliteStore(path: string, options: SqliteStoreOptions = {}): Store {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    // One process at a time: the lock is taken at once, kept, and freed by the kernel when the process dies.
    database.exec('PRAGMA locking_mode=EXCLUSIVE');
    database.exec(`PRAGMA page_size=${PAGE_BYTES}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL`);
    if (options.maxBytes) database.exec(`PRAGMA max_page_count=${Math.floor(options.maxBytes / PAGE_BYTES)}`);
    prepareFormat(database, path);
    return new SqliteStore(database);
  } catch (error) {
    if (database?.isOpen) database.close();
    throw storeError(`open store ${path}`, error);
  }
}

function prepareFormat(database: DatabaseSync, path: string): void {
  const format = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (format > FORMAT) throw new StoreError(`${path} has format ${format}; this program knows ${FORMAT}`);
  database.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS documents(key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS revision(one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
    INSERT OR IGNORE INTO revision VALUES (1, 0);
    PRAGMA user_version=${FORMAT};
    COMMIT`);
}

type Statements = Record<'get' | 'put' | 'delete' | 'revision' | 'nextRevision' | 'range', StatementSync>;

class SqliteStore implements Store {
  readonly history: History;
  readonly #database: DatabaseSync;
  readonly #writer: GroupCommit;
  readonly #watchers: Watchers;
  readonly #sql: Statements;
  #revision: Revision;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#writer = new GroupCommit(database);
    this.history = new SqliteHistory(database, this.#writer);
    this.#sql = {
      get: database.prepare('SELECT value, revision FROM documents WHERE key = ?'),
      put: database.prepare(`INSERT INTO documents VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET value = excluded.value, revision = excluded.revision`),
      delete: database.prepare('DELETE FROM documents WHERE key = ?'),
      revision: database.prepare('SELECT revision FROM revision'),
      nextRevision: database.prepare('UPDATE revision SET revision = revision + 1 RETURNING revision'),
      // The index finds the start by one bound alone (the unary plus hides the other); ?3 ends the prefix.
      range: database.prepare(`SELECT key, value, revision FROM documents
        WHERE key >= max(?1, ?2) AND +key > ?2 AND key < ?3 ORDER BY key LIMIT ?4`),
    };
    this.#revision = Number(this.#sql.revision.get()?.['revision'] ?? 0);
    this.#watchers = new Watchers(this.#revision);
  }

  get revision(): Revision {
    return this.#revision;
  }

  get<T>(key: string): Doc<T> | undefined {
    const row = this.#open().get.get(key);
    return row && { key, value: JSON.parse(String(row['value'])) as T, revision: Number(row['revision']) };
  }

  range<T>(prefix: string, { limit = -1, after = '' }: RangeOptions = {}): Doc<T>[] {
    const documents: Doc<T>[] = [];
    for (const row of this.#open().range.iterate(prefix, after, `${prefix}\u{10FFFF}`, limit)) {
      const [key, value, revision] = [String(row['key']), String(row['value']), Number(row['revision'])];
      documents.push({ key, value: JSON.parse(value) as T, revision });
    }
    return documents;
  }

  async batch(ops: readonly Op[], compares: readonly Compare[] = []): Promise<Revision> {
    const writes = ops.map((op) =>
      'put' in op ? { key: op.put, json: encode(op.put, op.value) } : { key: op.delete },
    );
    const revision = { committed: 0 };
    await this.#writer.submit(() => {
      const failed = compares.find(({ key, revision: expected }) => this.#revisionOf(key) !== expected);
      if (failed) return new CompareFailed(failed.key, failed.revision, this.#revisionOf(failed.key));
      return this.#write(writes, revision);
    });
    return revision.committed;
  }

  watch(prefix: string, fromRevision?: Revision): AsyncIterableIterator<Change> {
    this.#open();
    return this.#watchers.watch(prefix, fromRevision);
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    await this.#writer.close();
    this.#watchers.close();
    if (this.#database.isOpen) this.#database.close();
  }

  /** Inside the transaction; the returned function publishes after the commit. */
  #write(writes: readonly { key: string; json?: string }[], result: { committed: Revision }): () => void {
    // Counted in the table, not in memory: a transaction that is rolled back takes its numbers back.
    const revision = Number(this.#sql.nextRevision.get()?.['revision']);
    for (const { key, json } of writes) {
      if (json === undefined) this.#sql.delete.run(key);
      else this.#sql.put.run(key, json, revision);
    }
    return () => {
      this.#revision = revision;
      result.committed = revision;
      this.#watchers.publish(
        writes.map(({ key, json }) =>
          json === undefined
            ? { kind: 'delete', key, revision }
            : { kind: 'put', key, value: JSON.parse(json), revision },
        ),
      );
    };
  }

  #revisionOf(key: string): Revision {
    return Number(this.#sql.get.get(key)?.['revision'] ?? 0);
  }

  #open(): Statements {
    if (!this.#database.isOpen) throw new StoreClosed('the store is closed');
    return this.#sql;
  }
}

function encode(key: string, value: unknown): string {
  const json = JSON.stringify(value);
  if (json === undefined) throw new StoreError(`the value of document ${key} is not JSON`);
  return json;
}
