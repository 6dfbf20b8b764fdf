// A store that keeps nothing: for simulations and tests. The same semantics as the durable ones, in one process.
import type { Clock } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import type { EncodedBatch } from '../encode-batch.ts';
import type { Engine, Guard } from '../engine.ts';
import { CompareFailed, StoreClosed, StoreError, StoreFull } from '../errors.ts';
import { GroupCommit } from '../group-commit.ts';
import type { Lease, LockHolder, LockOptions } from '../lease.ts';
import { LocalLocks } from '../local-locks.ts';
import { makeStore } from '../make-store.ts';
import type { Change, Doc, Item, RangeOptions, Revision, Snapshot, Store } from '../store.ts';
import { Watchers } from '../watchers.ts';
import { DocumentTable } from './document-table.ts';
import { MemoryHistory } from './memory-history.ts';

export interface MemoryStoreOptions {
  /** Of documents, keys and values; writes get StoreFull beyond it. Default 1 GiB. History has its own bounds. */
  readonly maxBytes?: number;
  /** Leases run by it. Default: the machine's. */
  readonly clock?: Clock;
}

export function openMemoryStore({ maxBytes = 2 ** 30, clock = systemClock }: MemoryStoreOptions = {}): Store {
  return makeStore(new MemoryEngine(maxBytes, clock));
}

class MemoryEngine implements Engine {
  readonly isStale = false;
  readonly history: MemoryHistory;
  readonly #maxBytes: number;
  readonly #writer = new GroupCommit({
    begin: () => {},
    commit: () => {},
    rollBack: () => {}, // jobs refuse before they write, and nothing fails after that
    toError: (cause) => new StoreError('commit', { cause }),
  });
  readonly #watchers = new Watchers(0);
  readonly #locks: LocalLocks;
  #documents = new DocumentTable();
  #revision: Revision = 0;
  #isClosed = false;

  constructor(maxBytes: number, clock: Clock) {
    this.#maxBytes = maxBytes;
    this.#locks = new LocalLocks(clock, () => this.write({ writes: [], compares: [], bytes: 0 }, undefined));
    this.history = new MemoryHistory(this.#writer, (guard) => this.#locks.refusal(guard));
  }

  get revision(): Revision {
    return this.#revision;
  }

  get<T>(key: string): Doc<T> | undefined {
    return this.#open().get(key);
  }

  range<T>(prefix: string, options?: RangeOptions): Doc<T>[] {
    return this.#open().range(prefix, options);
  }

  async write({ writes, compares }: EncodedBatch, guard: Guard): Promise<Revision> {
    const result = { committed: 0 };
    await this.#writer.submit(() => {
      const refusal = this.#locks.refusal(guard);
      if (refusal) return refusal;
      const failed = compares.find(({ key, revision }) => this.#documents.revisionOf(key) !== revision);
      if (failed) return new CompareFailed(failed.key, failed.revision, this.#documents.revisionOf(failed.key));
      const growth = this.#documents.growth(writes);
      if (growth > 0 && this.#documents.bytes + growth > this.#maxBytes) {
        return new StoreFull(`documents would take more than ${this.#maxBytes} bytes`);
      }
      this.#revision += 1;
      const revision = this.#revision;
      this.#documents.apply(revision, writes);
      this.#watchers.publish(revision, writes);
      result.committed = revision;
      return () => {};
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

  async snapshot(): Promise<Snapshot> {
    const items = [...this.#open().items(), ...this.history.items()];
    return { revision: this.#revision, items: () => each(items), [Symbol.asyncDispose]: async () => {} };
  }

  async replace(items: AsyncIterable<Item>, keepHistory: boolean, guard: Guard): Promise<Revision> {
    const staged: Item[] = [];
    for await (const item of items) staged.push(item);
    const documents = new DocumentTable();
    const result = { committed: 0 };
    await this.#writer.submit(() => {
      const refusal = this.#locks.refusal(guard);
      if (refusal) return refusal;
      this.#revision += 1;
      documents.apply(
        this.#revision,
        staged.filter((item) => item.kind === 'document'),
      );
      this.#documents = documents;
      if (!keepHistory) this.history.replace(staged);
      this.#watchers.reset(this.#revision);
      result.committed = this.#revision;
      return () => {};
    });
    return result.committed;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#writer.close(); // guarded writes too
    this.#locks.close();
    this.#watchers.close();
  }

  #open(): DocumentTable {
    if (this.#isClosed) throw new StoreClosed('the store is closed');
    return this.#documents;
  }
}

async function* each(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
