// Gathers the writes of one turn of the event loop into one transaction: one fsync for all of them.
import type { DatabaseSync } from 'node:sqlite';
import { StoreClosed, StoreFull, storeError } from './errors.ts';

/** Runs inside the transaction; throwing `Refusal`-like errors of its own must happen before its first write. */
interface Job {
  readonly run: () => (() => void) | Error;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Most jobs in one transaction: keeps the event loop's pause short. */
const MOST_IN_ONE_COMMIT = 512;
/** Most jobs that may wait; beyond it writers are refused rather than memory filled. */
const MOST_WAITING = 50_000;

export class GroupCommit {
  readonly #database: DatabaseSync;
  #waiting: Job[] = [];
  #scheduled = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * `run` writes and returns what to do once the transaction is on disk, or returns an error, having written nothing, to
   * be refused alone. Resolves after the commit.
   */
  submit(run: Job['run']): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreClosed('the store is closed'));
    if (this.#waiting.length >= MOST_WAITING) return Promise.reject(new StoreFull('too many writes are waiting'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ run, resolve, reject });
    this.#schedule();
    return promise;
  }

  /** Refuses new writes and resolves when those accepted are on disk or have failed. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#waiting.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#commit(this.#waiting.splice(0, MOST_IN_ONE_COMMIT));
      if (this.#waiting.length > 0) this.#schedule();
      else for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  #commit(jobs: readonly Job[]): void {
    const committed: { job: Job; effect: () => void }[] = [];
    const refused: { job: Job; error: Error }[] = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const job of jobs) {
        const outcome = job.run();
        if (outcome instanceof Error) refused.push({ job, error: outcome });
        else committed.push({ job, effect: outcome });
      }
      this.#database.exec('COMMIT');
    } catch (cause) {
      const error = storeError('commit', cause);
      this.#rollBack();
      for (const job of jobs) job.reject(error);
      return;
    }
    for (const { job, error } of refused) job.reject(error);
    for (const { job, effect } of committed) {
      effect();
      job.resolve();
    }
  }

  #rollBack(): void {
    if (!this.#database.isTransaction) return; // SQLite rolls back by itself after some failures (SQLITE_FULL, IOERR)
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // Nothing was committed; the next BEGIN tells whether the database is still usable.
    }
  }
}
