// Gathers the writes of one turn of the event loop into one transaction: one fsync for all of them.
import { StoreClosed, StoreFull } from './errors.ts';

/** Where jobs write. `begin` and `commit` throw the store's own errors; `rollBack` does not throw. */
export interface Transactions {
  begin(): void;
  commit(): void;
  rollBack(): void;
  /** What a job threw, as an error of the store. */
  toError(cause: unknown): Error;
}

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
  readonly #transactions: Transactions;
  #waiting: Job[] = [];
  #scheduled = false;
  #isHeld = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(transactions: Transactions) {
    this.#transactions = transactions;
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

  /** Runs `work` while nothing is written; jobs wait. */
  async whileIdle<T>(work: () => Promise<T>): Promise<T> {
    while (this.#isHeld) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#isHeld = true;
    try {
      return await work();
    } finally {
      this.#isHeld = false;
      if (this.#waiting.length > 0) this.#schedule();
      else this.#tellIdle();
    }
  }

  /** Refuses new writes and resolves when those accepted are on disk or have failed. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#waiting.length > 0 || this.#isHeld) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled || this.#isHeld) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#isHeld) return;
      this.#commit(this.#waiting.splice(0, MOST_IN_ONE_COMMIT));
      if (this.#waiting.length > 0) this.#schedule();
      else this.#tellIdle();
    });
  }

  #tellIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #commit(jobs: readonly Job[]): void {
    const committed: { job: Job; effect: () => void }[] = [];
    const refused: { job: Job; error: Error }[] = [];
    try {
      this.#transactions.begin();
      for (const job of jobs) {
        const outcome = job.run();
        if (outcome instanceof Error) refused.push({ job, error: outcome });
        else committed.push({ job, effect: outcome });
      }
      this.#transactions.commit();
    } catch (cause) {
      const error = this.#transactions.toError(cause);
      this.#transactions.rollBack();
      for (const job of jobs) job.reject(error);
      return;
    }
    for (const { job, error } of refused) job.reject(error);
    for (const { job, effect } of committed) {
      effect();
      job.resolve();
    }
  }
}
