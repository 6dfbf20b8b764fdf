// Blocks in an SQLite file of their own, a table a series: an id is the row's number, so a new block is appended at the
// table's end and what is old goes as one range from its beginning.
import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Block, BlockRange, BlockStore, BlockWrite } from '../blocks.ts';
import { StoreClosed, StoreError } from '../errors.ts';
import { keepPrivate } from './keep-private.ts';
import { sqliteError } from './sqlite-error.ts';

const FORMAT = 1;
const SERIES_NAME = /^[a-z][a-z0-9]{0,30}$/;
/** Kibibytes of pages kept in memory: what is asked for twice is asked for at once. */
const CACHE_KIB = 512;

// Primary result codes, sqlite.org/rescode.html.
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

export interface SqliteBlocksOptions {
  /** A damaged file was put aside (as `<path>.broken`) and a new one made. Without it damage is an error. */
  readonly putAside?: (error: Error) => void;
}

/** Opens or makes the file. Throws StoreLocked when another process has it, StoreError when it cannot be read. */
export function openSqliteBlocks(path: string, { putAside }: SqliteBlocksOptions = {}): BlockStore {
  try {
    return open(path);
  } catch (error) {
    if (!putAside || !isDamage(error)) throw error;
    renameSync(path, `${path}.broken`);
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    putAside(error);
    return open(path);
  }
}

function open(path: string): BlockStore {
  let database: DatabaseSync | undefined;
  try {
    keepPrivate(path);
    database = new DatabaseSync(path);
    database.exec('PRAGMA locking_mode=EXCLUSIVE');
    database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-${CACHE_KIB}`);
    const format = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    if (format > FORMAT) throw new StoreError(`${path} has format ${format}; this program knows ${FORMAT}`);
    // Nothing is written where nothing has to be: on a full disk it opens, too.
    if (format < FORMAT) database.exec(`PRAGMA user_version=${FORMAT}`);
    return new SqliteBlocks(database);
  } catch (error) {
    if (database?.isOpen) database.close();
    throw sqliteError(`open ${path}`, error);
  }
}

function isDamage(error: unknown): error is StoreError {
  const code =
    error instanceof StoreError ? Number((error.cause as { errcode?: number } | undefined)?.errcode) & 0xff : 0;
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

type Statements = Record<'get' | 'range' | 'ids' | 'first' | 'last' | 'put' | 'delete', StatementSync>;

class SqliteBlocks implements BlockStore {
  readonly #database: DatabaseSync;
  readonly #series = new Map<string, Statements>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(series: string, id: number): Uint8Array | undefined {
    return this.#of(series).get.get(id)?.['bytes'] as Uint8Array | undefined;
  }

  range(series: string, { from, until }: BlockRange): Block[] {
    return this.#of(series)
      .range.all(from, until)
      .map((row) => ({ id: Number(row['id']), bytes: row['bytes'] as Uint8Array }));
  }

  ids(series: string, { from, until }: BlockRange): number[] {
    return this.#of(series)
      .ids.all(from, until)
      .map((row) => Number(row['id']));
  }

  lastId(series: string): number | undefined {
    return asId(this.#of(series).last.get()?.['id']);
  }

  firstId(series: string): number | undefined {
    return asId(this.#of(series).first.get()?.['id']);
  }

  async write({ puts = [], deletes = [] }: BlockWrite): Promise<void> {
    // Tables are made before, on their own: nothing is in them yet.
    const removing = deletes.map(({ series, from, until }) => ({ sql: this.#of(series), from, until }));
    const putting = puts.map(({ series, block }) => ({ sql: this.#of(series), block }));
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { sql, from, until } of removing) sql.delete.run(from, until);
      for (const { sql, block } of putting) sql.put.run(block.id, block.bytes);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw sqliteError('write blocks', error);
    }
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #of(series: string): Statements {
    if (!this.#database.isOpen) throw new StoreClosed('the block store is closed');
    const known = this.#series.get(series);
    if (known) return known;
    if (!SERIES_NAME.test(series)) throw new StoreError(`not a name of a series: ${JSON.stringify(series)}`);
    const table = `series_${series}`;
    try {
      this.#database.exec(`CREATE TABLE IF NOT EXISTS ${table}(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)`);
      const prepare = (sql: string) => this.#database.prepare(sql);
      const made = {
        get: prepare(`SELECT bytes FROM ${table} WHERE id = ?`),
        range: prepare(`SELECT id, bytes FROM ${table} WHERE id >= ? AND id < ? ORDER BY id`),
        ids: prepare(`SELECT id FROM ${table} WHERE id >= ? AND id < ? ORDER BY id`),
        first: prepare(`SELECT min(id) AS id FROM ${table}`),
        last: prepare(`SELECT max(id) AS id FROM ${table}`),
        put: prepare(`INSERT INTO ${table} VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes`),
        delete: prepare(`DELETE FROM ${table} WHERE id >= ? AND id < ?`),
      };
      this.#series.set(series, made);
      return made;
    } catch (error) {
      throw sqliteError(`open series ${series}`, error);
    }
  }
}

function asId(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
