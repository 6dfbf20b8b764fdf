// The store in one SQLite file. WAL with synchronous=FULL: a commit is one append to the log and one fsync.
//
// SQLite runs on the daemon's own thread. A commit takes 0.1 ms on a quiet SSD (10,500 a second), group commit makes it at
// most one a turn, and reads need no round trip to a worker, so that handlers read documents as plain values. A host writes
// little; where an fsync may take tens of milliseconds (a busy rotating disk) or writes come by the thousand (vCenter), the
// writer belongs into a worker thread behind this same interface.
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Clock, Mutex } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import type { EncodedBatch, Write } from '../encode-batch.ts';
import type { Engine, Guard } from '../engine.ts';
import { CompareFailed, StoreClosed, StoreError, StoreFull } from '../errors.ts';
import { GroupCommit } from '../group-commit.ts';
import type { Lease, LockHolder, LockOptions } from '../lease.ts';
import { LocalLocks } from '../local-locks.ts';
import { makeStore } from '../make-store.ts';
import type { Change, Doc, Item, RangeOptions, Revision, Snapshot, Store } from '../store.ts';
import { Watchers } from '../watchers.ts';
import { keepPrivate } from './keep-private.ts';
import { DOCUMENTS, dropStaged, HISTORY, hasStaged, stage, swapStaged } from './replace-tables.ts';
import { sqliteError } from './sqlite-error.ts';
import { SqliteHistory } from './sqlite-history.ts';
import { takeSnapshot } from './sqlite-snapshot.ts';

const FORMAT = 1;
const PAGE_BYTES = 4096;

export interface SqliteStoreOptions {
  /** The database never grows beyond this; writes get StoreFull then. Default: the disk is the bound. */
  readonly maxBytes?: number;
  /** Leases run by it. Default: the machine's. */
  readonly clock?: Clock;
}

/** Opens or makes the store. Throws StoreLocked when another process has it, StoreError when it cannot be read. */
export function openSqliteStore(path: string, options: SqliteStoreOptions = {}): Store {
  let database: DatabaseSync | undefined;
  try {
    keepPrivate(path);
    database = new DatabaseSync(path);
    // One process at a time: the lock is taken at once, kept, and freed by the kernel when the process dies.
    database.exec('PRAGMA locking_mode=EXCLUSIVE');
    database.exec(`PRAGMA page_size=${PAGE_BYTES}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL`);
    if (options.maxBytes) database.exec(`PRAGMA max_page_count=${Math.floor(options.maxBytes / PAGE_BYTES)}`);
    prepareFormat(database, path);
    removeSnapshots(path);
    return makeStore(new SqliteEngine(database, path, options.clock ?? systemClock));
  } catch (error) {
    if (database?.isOpen) database.close();
    throw sqliteError(`open store ${path}`, error);
  }
}

function prepareFormat(database: DatabaseSync, path: string): void {
  const format = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (format > FORMAT) throw new StoreError(`${path} has format ${format}; this program knows ${FORMAT}`);
  // Nothing is written where nothing has to be: on a full disk a store opens, too.
  if (format === FORMAT) {
    if (hasStaged(database)) dropLeftover(database);
    return;
  }
  database.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS documents${DOCUMENTS};
    CREATE TABLE IF NOT EXISTS history${HISTORY};
    CREATE INDEX IF NOT EXISTS history_by_time ON history(stream, time);
    CREATE TABLE IF NOT EXISTS revision(one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
    INSERT OR IGNORE INTO revision VALUES (1, 0);
    PRAGMA user_version=${FORMAT}`);
  database.exec('COMMIT');
}

/** What a process that was killed had staged. On a full disk it stays until the next replacement. */
function dropLeftover(database: DatabaseSync): void {
  try {
    database.exec('BEGIN IMMEDIATE');
    dropStaged(database);
    database.exec('COMMIT');
  } catch (error) {
    rollBack(database);
    if (!(sqliteError('drop what was staged', error) instanceof StoreFull)) throw error;
  }
}

/** Snapshots of a process that was killed while it read them. */
function removeSnapshots(path: string): void {
  const folder = dirname(path);
  for (const name of readdirSync(folder)) {
    if (name.startsWith(`${basename(path)}.snapshot-`)) rmSync(join(folder, name), { force: true });
  }
}

type Statements = Record<'get' | 'put' | 'delete' | 'revision' | 'nextRevision' | 'range', StatementSync>;

class SqliteEngine implements Engine {
  readonly isStale = false;
  readonly history: SqliteHistory;
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #writer: GroupCommit;
  readonly #watchers: Watchers;
  readonly #locks: LocalLocks;
  readonly #replacing = new Mutex();
  readonly #sql: Statements;
  #revision: Revision;
  #snapshots = 0;

  constructor(database: DatabaseSync, path: string, clock: Clock) {
    this.#path = path;
    this.#database = database;
    this.#writer = new GroupCommit({
      begin: () => database.exec('BEGIN IMMEDIATE'),
      commit: () => database.exec('COMMIT'),
      rollBack: () => rollBack(database),
      toError: (cause) => sqliteError('commit', cause),
    });
    this.#locks = new LocalLocks(clock, () => this.write({ writes: [], compares: [], bytes: 0 }, undefined));
    this.history = new SqliteHistory(database, this.#writer, (guard) => this.#locks.refusal(guard));
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

  async write({ writes, compares }: EncodedBatch, guard: Guard): Promise<Revision> {
    const result = { committed: 0 };
    await this.#writer.submit(() => {
      const refusal = this.#locks.refusal(guard);
      if (refusal) return refusal;
      const failed = compares.find(({ key, revision: expected }) => this.#revisionOf(key) !== expected);
      if (failed) return new CompareFailed(failed.key, failed.revision, this.#revisionOf(failed.key));
      return this.#write(writes, result);
    });
    return result.committed;
  }

  watch(prefix: string, fromRevision?: Revision): AsyncIterableIterator<Change> {
    this.#open();
    return this.#watchers.watch(prefix, fromRevision);
  }

  async sync(): Promise<void> {
    this.#open();
  }

  lock(name: string, options: LockOptions & { readonly ttlMs: number }): Promise<Lease> {
    return this.#locks.lock(name, options);
  }

  lockHolder(name: string): LockHolder | undefined {
    return this.#locks.holder(name);
  }

  snapshot(): Promise<Snapshot> {
    this.#open();
    this.#snapshots += 1;
    const path = `${this.#path}.snapshot-${this.#snapshots}`;
    return this.#writer.whileIdle(() => takeSnapshot(this.#database, path));
  }

  /** One after the other: there is one place for what is staged. */
  replace(items: AsyncIterable<Item>, keepHistory: boolean, guard: Guard): Promise<Revision> {
    return this.#replacing.run(() => this.#replace(items, keepHistory, guard));
  }

  async #replace(items: AsyncIterable<Item>, keepHistory: boolean, guard: Guard): Promise<Revision> {
    this.#open();
    const result = { committed: 0 };
    try {
      await stage(this.#database, this.#writer, items);
      await this.#writer.submit(() => {
        const refusal = this.#locks.refusal(guard);
        if (refusal) return refusal;
        const revision = this.#nextRevision();
        swapStaged(this.#database, revision, keepHistory);
        return () => {
          this.#revision = revision;
          result.committed = revision;
          this.history.forgetCounts();
          this.#watchers.reset(revision);
        };
      });
    } catch (error) {
      const dropping = this.#writer.submit(() => {
        dropStaged(this.#database);
        return () => {};
      });
      await dropping.catch(() => undefined); // on a full disk: the next replacement or opening does it
      throw error;
    }
    return result.committed;
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    await this.#writer.close(); // guarded writes too
    this.#locks.close();
    this.#watchers.close();
    if (this.#database.isOpen) this.#database.close();
  }

  /** Inside the transaction; the returned function publishes after the commit. */
  #write(writes: readonly Write[], result: { committed: Revision }): () => void {
    const revision = this.#nextRevision();
    for (const { key, json } of writes) {
      if (json === undefined) this.#sql.delete.run(key);
      else this.#sql.put.run(key, json, revision);
    }
    return () => {
      this.#revision = revision;
      result.committed = revision;
      this.#watchers.publish(revision, writes);
    };
  }

  /** Counted in the table, not in memory: a transaction that is rolled back takes its numbers back. */
  #nextRevision(): Revision {
    return Number(this.#sql.nextRevision.get()?.['revision']);
  }

  #revisionOf(key: string): Revision {
    return Number(this.#sql.get.get(key)?.['revision'] ?? 0);
  }

  #open(): Statements {
    if (!this.#database.isOpen) throw new StoreClosed('the store is closed');
    return this.#sql;
  }
}

function rollBack(database: DatabaseSync): void {
  if (!database.isTransaction) return; // SQLite rolls back by itself after some failures (SQLITE_FULL, IOERR)
  try {
    database.exec('ROLLBACK');
  } catch {
    // Nothing was committed; the next BEGIN tells whether the database is still usable.
  }
}
