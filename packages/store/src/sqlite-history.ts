// History streams as rows of one table.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { GroupCommit } from './group-commit.ts';
import type { History, HistoryEntry, HistoryQuery } from './history.ts';

const KEEP = 50_000;
/** Entries past `keep` before the oldest are deleted, so that not every append deletes. */
const SLACK = 100;

export class SqliteHistory implements History {
  readonly #database: DatabaseSync;
  readonly #writer: GroupCommit;
  readonly #statements = new Map<string, StatementSync>();
  readonly #counts = new Map<string, number>();

  constructor(database: DatabaseSync, writer: GroupCommit) {
    this.#database = database;
    this.#writer = writer;
    database.exec(`CREATE TABLE IF NOT EXISTS history(
      stream TEXT NOT NULL, key INTEGER NOT NULL, time INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (stream, key)
    ) WITHOUT ROWID`);
    database.exec('CREATE INDEX IF NOT EXISTS history_by_time ON history(stream, time)');
  }

  append(stream: string, entries: readonly HistoryEntry[], keep = KEEP): Promise<void> {
    const rows = entries.map(({ key, timeMs, value }) => ({ key, timeMs, json: JSON.stringify(value) }));
    return this.#writer.submit(() => {
      const put = this.#prepare(`INSERT INTO history(stream, key, time, value) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET time = excluded.time, value = excluded.value`);
      for (const { key, timeMs, json } of rows) put.run(stream, key, Math.round(timeMs), json);
      // An upper bound: replaced entries count twice until the next trim counts anew.
      this.#counts.set(stream, (this.#counts.get(stream) ?? this.count(stream)) + rows.length);
      if ((this.#counts.get(stream) ?? 0) > keep + SLACK) this.#trim(stream, keep);
      return () => {};
    });
  }

  page<T>(stream: string, query: HistoryQuery): HistoryEntry<T>[] {
    const conditions = ['stream = ?'];
    const values: (string | number)[] = [stream];
    const where = (condition: string, value: number | undefined) => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    where('key > ?', query.afterKey);
    where('key < ?', query.beforeKey);
    where('time >= ?', query.fromTimeMs);
    where('time <= ?', query.toTimeMs);
    const order = query.order === 'oldestFirst' ? 'ASC' : 'DESC';
    const rows = this.#prepare(
      `SELECT key, time, value FROM history WHERE ${conditions.join(' AND ')} ORDER BY key ${order} LIMIT ?`,
    ).all(...values, query.limit);
    return rows.map((row) => ({
      key: Number(row['key']),
      timeMs: Number(row['time']),
      value: JSON.parse(String(row['value'])) as T,
    }));
  }

  lastKey(stream: string): number {
    return Number(this.#prepare('SELECT max(key) AS last FROM history WHERE stream = ?').get(stream)?.['last'] ?? 0);
  }

  count(stream: string): number {
    return Number(this.#prepare('SELECT count(*) AS count FROM history WHERE stream = ?').get(stream)?.['count'] ?? 0);
  }

  #trim(stream: string, keep: number): void {
    this.#prepare(`DELETE FROM history WHERE stream = ?1 AND key <= (
      SELECT key FROM history WHERE stream = ?1 ORDER BY key DESC LIMIT 1 OFFSET ?2)`).run(stream, keep);
    this.#counts.set(stream, this.count(stream));
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
