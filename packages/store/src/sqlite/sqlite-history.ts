// History streams as rows of one table.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EncodedEntry } from '../encode-entries.ts';
import type { EngineHistory, Guard } from '../engine.ts';
import type { GroupCommit } from '../group-commit.ts';
import type { HistoryEntry, HistoryQuery } from '../history.ts';

/** Entries past `keep` before the oldest are deleted, so that not every append deletes. */
const SLACK = 100;

export class SqliteHistory implements EngineHistory {
  readonly #database: DatabaseSync;
  readonly #writer: GroupCommit;
  readonly #refusal: (guard: Guard) => Error | undefined;
  readonly #statements = new Map<string, StatementSync>();
  readonly #counts = new Map<string, number>();

  constructor(database: DatabaseSync, writer: GroupCommit, refusal: (guard: Guard) => Error | undefined) {
    this.#database = database;
    this.#writer = writer;
    this.#refusal = refusal;
  }

  append(stream: string, entries: readonly EncodedEntry[], keep: number, guard: Guard): Promise<void> {
    return this.#writer.submit(() => {
      const refused = this.#refusal(guard);
      if (refused) return refused;
      const put = this.#prepare(`INSERT INTO history(stream, key, time, value) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET time = excluded.time, value = excluded.value`);
      for (const { key, timeMs, json } of entries) put.run(stream, key, timeMs, json);
      // An upper bound: replaced entries count twice until the next trim counts anew.
      this.#counts.set(stream, (this.#counts.get(stream) ?? this.count(stream)) + entries.length);
      if ((this.#counts.get(stream) ?? 0) > keep + SLACK) this.#trim(stream, keep);
      return () => {};
    });
  }

  /** Other entries are there than were counted. */
  forgetCounts(): void {
    this.#counts.clear();
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

  streams(): string[] {
    return this.#prepare('SELECT DISTINCT stream FROM history ORDER BY stream')
      .all()
      .map((row) => String(row['stream']));
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
