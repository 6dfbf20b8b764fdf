// The store in an etcd cluster: survives the loss of machines, and is shared by the daemons that stand by.
import { type Clock, type Random, type Timer } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import type { EncodedBatch } from '../encode-batch.ts';
import type { Engine, Guard } from '../engine.ts';
import { StoreClosed, StoreFull } from '../errors.ts';
import type { Lease, LockHolder, LockOptions } from '../lease.ts';
import { makeStore } from '../make-store.ts';
import type { Change, Doc, Item, RangeOptions, Revision, Snapshot, Store } from '../store.ts';
import { EtcdClient, type EtcdClientOptions, methods } from './etcd-client.ts';
import { EtcdHistory } from './etcd-history.ts';
import { EtcdLocks } from './etcd-locks.ts';
import { EtcdWriter } from './etcd-writer.ts';
import { Keyspace } from './keyspace.ts';
import { Mirror } from './mirror.ts';
import { replaceContents } from './replace-contents.ts';
import { Space } from './space.ts';

export interface EtcdStoreOptions {
  /** http://host:port or https://host:port of every member. */
  readonly urls: readonly string[];
  /** What all keys begin with; ends with a slash. Default `vivarium/`. */
  readonly root?: string;
  readonly tls?: EtcdClientOptions['tls'];
  readonly login?: { readonly user: string; readonly password: string };
  /** A write that is not committed in that time is refused with StoreUnavailable. Default 5,000 ms. */
  readonly timeoutMs?: number;
  /** Compacts etcd's old revisions, and makes room when it is full. Default true; false where others look after that. */
  readonly maintain?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** What was replaced is read anew, however much it is. */
const RELOAD_MS = 10 * 60_000;
const TIMEOUT_MS = 5_000;
/** Tries with one member in that time, at least. */
const TRIES = 4;
const HEARTBEAT_MS = 1_000;
/** Without proof of a quorum for that long, reads are called stale. */
const STALE_MS = 3_000;
/** A mirror that is behind for that long asks another member. */
const BEHIND_MS = 2_000;

/** Rejects with StoreUnavailable when no quorum answers. */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const { urls, root = 'vivarium/', tls = {}, login, clock = systemClock, timeoutMs = TIMEOUT_MS } = options;
  const attemptMs = Math.ceil(timeoutMs / TRIES);
  const client = new EtcdClient({ urls, tls, clock, attemptMs, ...(login && { login }) });
  try {
    const keyspace = new Keyspace(root);
    const mirror = await Mirror.open(client, keyspace, clock, 2 * timeoutMs);
    return makeStore(new EtcdEngine(client, keyspace, mirror, { ...options, clock, timeoutMs }));
  } catch (error) {
    client.close();
    throw error;
  }
}

class EtcdEngine implements Engine {
  readonly history: EtcdHistory;
  readonly #client: EtcdClient;
  readonly #keyspace: Keyspace;
  readonly #mirror: Mirror;
  readonly #writer: EtcdWriter;
  readonly #locks: EtcdLocks;
  readonly #space: Space | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timeoutMs: number;
  #heartbeat: Timer | undefined;
  #freshAt: number;
  #behindSince: number | undefined;
  #isClosed = false;

  constructor(
    client: EtcdClient,
    keyspace: Keyspace,
    mirror: Mirror,
    options: EtcdStoreOptions & { readonly clock: Clock; readonly timeoutMs: number },
  ) {
    const { clock, timeoutMs, random = systemRandom } = options;
    this.#client = client;
    this.#keyspace = keyspace;
    this.#mirror = mirror;
    this.#clock = clock;
    this.#random = random;
    this.#timeoutMs = timeoutMs;
    const common = { client, keyspace, mirror, clock, random, timeoutMs, onFull: () => this.#space?.reclaim() };
    this.#writer = new EtcdWriter(common);
    this.#locks = new EtcdLocks(common);
    this.history = new EtcdHistory(mirror, this.#writer);
    if (options.maintain ?? true) {
      const { revision, transactions } = {
        revision: () => mirror.revision,
        transactions: () => this.#writer.transactions,
      };
      this.#space = new Space(client, clock, revision, transactions);
    }
    this.#freshAt = clock.monotonic();
    this.#beatLater();
  }

  get revision(): Revision {
    return this.#mirror.revision;
  }

  get isStale(): boolean {
    return this.#clock.monotonic() - this.#freshAt > STALE_MS;
  }

  get<T>(key: string): Doc<T> | undefined {
    return this.#open().documents.get(key);
  }

  range<T>(prefix: string, options?: RangeOptions): Doc<T>[] {
    return this.#open().documents.range(prefix, options);
  }

  write({ writes, compares }: EncodedBatch, guard: Guard): Promise<Revision> {
    return this.#writer.submit({ kind: 'batch', writes, compares }, guard);
  }

  watch(prefix: string, fromRevision?: Revision): AsyncIterableIterator<Change> {
    return this.#open().watchers.watch(prefix, fromRevision);
  }

  async sync(): Promise<void> {
    await this.write({ writes: [], compares: [], bytes: 0 }, undefined); // it comes back behind everything before it
  }

  lock(name: string, options: LockOptions & { readonly ttlMs: number }): Promise<Lease> {
    this.#open();
    return this.#locks.lock(name, options);
  }

  lockHolder(name: string): LockHolder | undefined {
    return this.#locks.holder(name);
  }

  async snapshot(): Promise<Snapshot> {
    const { documents, history, revision } = this.#open();
    const [all, entries] = [documents.items(), history.items()];
    const items = async function* (): AsyncGenerator<Item> {
      yield* all;
      yield* entries;
    };
    return { revision, items, [Symbol.asyncDispose]: async () => {} };
  }

  async replace(items: AsyncIterable<Item>, keepHistory: boolean, guard: Guard): Promise<Revision> {
    const { current } = this.#open();
    const revision = await replaceContents(items, keepHistory, {
      client: this.#client,
      keyspace: this.#keyspace,
      random: this.#random,
      current,
      guard,
      timeoutMs: this.#timeoutMs,
    }).catch((error: unknown) => {
      if (error instanceof StoreFull) this.#space?.reclaim();
      throw error;
    });
    await this.#mirror.reach(revision, RELOAD_MS);
    return revision;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    await this.#writer.close(); // guarded writes too
    await this.history.settled();
    await this.#locks.close();
    await this.#space?.close();
    await this.#mirror.close();
    this.#client.close();
  }

  #open(): Mirror {
    if (this.#isClosed) throw new StoreClosed('the store is closed');
    return this.#mirror;
  }

  #beatLater(): void {
    if (!this.#isClosed) this.#heartbeat = this.#clock.setTimer(HEARTBEAT_MS, () => void this.#beat());
  }

  /** Asks a quorum for the newest transaction of any open store, and looks whether the mirror has it. */
  async #beat(): Promise<void> {
    try {
      const askedAt = this.#clock.monotonic();
      const { kvs } = await this.#client.attempt(methods.range, { ...this.#keyspace.writers, limit: 1_000 });
      const newest = kvs.reduce((greatest, { modRevision }) => Math.max(greatest, modRevision), 0);
      if (this.#mirror.revision >= newest) {
        this.#freshAt = askedAt;
        this.#behindSince = undefined;
      } else {
        this.#behindSince ??= askedAt;
        if (askedAt - this.#behindSince > BEHIND_MS) {
          this.#behindSince = undefined;
          this.#mirror.refeed();
        }
      }
    } catch {
      // No quorum, or this member is out of reach: the next beat asks another one.
    }
    this.#mirror.probe();
    this.#beatLater();
  }
}
