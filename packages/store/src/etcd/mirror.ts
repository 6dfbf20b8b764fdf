// A copy in memory of everything below the root, fed by one watch. Reads are answered from it, so that they need no round
// trip; a write is acknowledged when it has come back by the watch.
//
// The watch is begun at the revision behind the copy's own, so nothing is lost when it breaks; when etcd has compacted that
// far, everything is read anew. Events come in whole revisions (a transaction is one), so no reader sees half a batch.
import type { Clock } from '@vivarium/base';
import type { Write } from '../encode-batch.ts';
import { StoreClosed, StoreError, StoreUnavailable } from '../errors.ts';
import { DocumentTable } from '../memory/document-table.ts';
import type { Revision } from '../store.ts';
import { Watchers } from '../watchers.ts';
import { ChunkedHistory } from './chunked-history.ts';
import { backoffMs, type EtcdClient, type MemberStream, methods } from './etcd-client.ts';
import { GrpcError, grpcStatus } from './grpc-error.ts';
import { type Current, type Keyspace, parseGenerations } from './keyspace.ts';
import { LockTable } from './lock-table.ts';
import { EVENT_DELETE, type Event, type KeyValue, WatchRequest, WatchResponse } from './messages.ts';

/** What one page of a range should weigh. */
const PAGE_BYTES = 4 << 20;
const MOST_KEYS_IN_PAGE = 5_000;
const MOST_LOADS = 5;

interface Contents {
  readonly documents: DocumentTable;
  readonly history: ChunkedHistory;
  readonly current: Current;
}

interface Waiter {
  readonly revision: Revision;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Mirror {
  readonly locks = new LockTable();
  readonly watchers: Watchers;
  readonly #client: EtcdClient;
  readonly #keyspace: Keyspace;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #contents: Contents;
  #revision: Revision;
  #waiting: Waiter[] = [];
  #feed: MemberStream | undefined;
  #isClosed = false;
  readonly #fed: Promise<void>;

  /** Rejects with StoreUnavailable when no quorum answers; `timeoutMs` is for one page of what there is. */
  static async open(client: EtcdClient, keyspace: Keyspace, clock: Clock, timeoutMs: number): Promise<Mirror> {
    return new Mirror(client, keyspace, clock, timeoutMs, await load(client, keyspace, timeoutMs));
  }

  private constructor(client: EtcdClient, keyspace: Keyspace, clock: Clock, timeoutMs: number, loaded: Loaded) {
    this.#client = client;
    this.#keyspace = keyspace;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#contents = loaded.contents;
    this.#revision = loaded.revision;
    this.watchers = new Watchers(loaded.revision);
    this.#putLocks(loaded.locks);
    this.#fed = this.#keepFed();
  }

  get documents(): DocumentTable {
    return this.#contents.documents;
  }

  get history(): ChunkedHistory {
    return this.#contents.history;
  }

  get current(): Current {
    return this.#contents.current;
  }

  /** Everything below the root up to here is in. */
  get revision(): Revision {
    return this.#revision;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when the revision is in. Rejects with StoreUnavailable when it takes too long. */
  async reach(revision: Revision, timeoutMs: number): Promise<void> {
    if (this.#revision >= revision) return;
    if (this.#isClosed) throw new StoreClosed('the store is closed');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { revision, resolve, reject };
    const timer = this.#clock.setTimer(timeoutMs, () => {
      this.#waiting = this.#waiting.filter((each) => each !== waiter);
      reject(new StoreUnavailable(`revision ${revision} is committed, but has not come back from etcd`, 'unknown'));
    });
    this.#waiting.push(waiter);
    try {
      await promise;
    } finally {
      timer.cancel();
    }
  }

  /** Begins the watch anew, with another member: this one is behind. */
  refeed(): void {
    if (!this.#feed) return;
    this.#client.leave(this.#feed.member);
    this.#feed.stream.cancel(new GrpcError(grpcStatus.unavailable, 'this member is behind'));
  }

  /** Notices when the member that feeds it is gone without a word. */
  probe(): void {
    if (this.#feed) this.#client.probe(this.#feed.member);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#feed?.stream.cancel(new GrpcError(grpcStatus.unavailable, 'closed'));
    for (const { reject } of this.#waiting.splice(0)) reject(new StoreClosed('the store is closed'));
    this.watchers.close();
    await this.#fed;
  }

  async #keepFed(): Promise<void> {
    for (let tries = 0; !this.#isClosed; ) {
      const before = this.#revision;
      const outcome = await this.#follow().catch((): Outcome => 'broken');
      if (this.#isClosed) return;
      try {
        if (outcome === 'reload') await this.#reload();
        tries = this.#revision > before ? 0 : tries + 1;
        if (tries > 0) await this.#client.pause(backoffMs(tries));
      } catch {
        tries += 1; // no quorum now: the next turn tries again
        await this.#client.pause(backoffMs(tries)).catch(() => undefined);
      }
    }
  }

  /** Applies events until the watch ends. */
  async #follow(): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    let outcome: Outcome = 'broken';
    let pending: Event[] = [];
    const stop = (why: string) => this.#feed?.stream.cancel(new GrpcError(grpcStatus.unavailable, why));
    const feed = await this.#client.watch((member) => ({
      message: (bytes) => {
        const answer = WatchResponse.decode(bytes);
        pending.push(...answer.events);
        if (answer.canceled) {
          if (answer.compactRevision > 0) outcome = 'reload';
          if (/auth|permission/.test(answer.cancelReason)) this.#client.forgetToken();
          stop(answer.cancelReason);
        } else if (!answer.fragment) {
          const events = pending;
          pending = [];
          if (this.#apply(events) === 'reload') {
            outcome = 'reload';
            stop('the contents were replaced');
          }
        }
      },
      end: (error) => {
        if (error?.code === grpcStatus.unauthenticated) this.#client.forgetToken();
        if (outcome === 'broken') this.#client.leave(member);
        resolve(outcome);
      },
    }));
    this.#feed = feed;
    const { key, rangeEnd } = this.#keyspace.all;
    feed.stream.send(
      WatchRequest.encode({ create: { key, rangeEnd, startRevision: this.#revision + 1, fragment: true } }),
    );
    try {
      return await promise;
    } finally {
      this.#feed = undefined;
    }
  }

  #apply(events: readonly Event[]): Outcome | undefined {
    for (let begin = 0; begin < events.length; ) {
      const revision = events[begin]?.kv?.modRevision ?? 0;
      let end = begin;
      while (end < events.length && events[end]?.kv?.modRevision === revision) end += 1;
      if (revision > this.#revision && this.#applyRevision(revision, events.slice(begin, end)) === 'reload') {
        return 'reload';
      }
      begin = Math.max(end, begin + 1);
    }
    return undefined;
  }

  #applyRevision(revision: Revision, events: readonly Event[]): Outcome | undefined {
    const { documents, history, current } = this.#contents;
    const writes: Write[] = [];
    const deletedChunks: { stream: string; number: number }[] = [];
    let areLocksChanged = false;
    for (const { type, kv } of events) {
      if (!kv) continue;
      const isDelete = type === EVENT_DELETE;
      const place = this.#keyspace.parse(kv.key);
      if (place.kind === 'current') return 'reload';
      if (place.kind === 'document' && place.generation === current.documents) {
        writes.push(isDelete ? { key: place.key } : { key: place.key, json: kv.value.toString('utf8') });
      } else if (place.kind === 'chunk' && place.generation === current.history) {
        if (isDelete) deletedChunks.push(place);
        else history.putChunk(place.stream, place.number, Buffer.from(kv.value), revision);
      } else if (place.kind === 'lock') {
        areLocksChanged = true;
        if (isDelete) this.locks.delete(place.name, place.id);
        else this.locks.put(place.name, place.id, kv);
      }
    }
    // Behind the puts: a merged chunk has taken over the entries of those that go.
    for (const { stream, number } of deletedChunks) history.deleteChunk(stream, number);
    documents.apply(revision, writes);
    this.#revision = revision;
    this.watchers.publish(revision, writes);
    if (areLocksChanged) this.locks.tell();
    this.#wake();
    return undefined;
  }

  async #reload(): Promise<void> {
    const { contents, revision, locks } = await load(this.#client, this.#keyspace, this.#timeoutMs);
    if (this.#isClosed) return;
    this.#contents = contents;
    this.#revision = revision;
    this.#putLocks(locks);
    this.watchers.reset(revision);
    this.#wake();
  }

  #putLocks(locks: readonly KeyValue[]): void {
    this.locks.clear();
    for (const kv of locks) {
      const place = this.#keyspace.parse(kv.key);
      if (place.kind === 'lock') this.locks.put(place.name, place.id, kv);
    }
    this.locks.tell();
  }

  #wake(): void {
    const [ready, waiting] = [[] as Waiter[], [] as Waiter[]];
    for (const waiter of this.#waiting) (waiter.revision <= this.#revision ? ready : waiting).push(waiter);
    this.#waiting = waiting;
    for (const { resolve } of ready) resolve();
  }
}

type Outcome = 'broken' | 'reload';

interface Loaded {
  readonly contents: Contents;
  readonly revision: Revision;
  readonly locks: readonly KeyValue[];
}

/** Everything at one revision; at a newer one when that is compacted meanwhile, as others do who make room. */
async function load(client: EtcdClient, keyspace: Keyspace, timeoutMs: number): Promise<Loaded> {
  for (let tries = 1; ; tries++) {
    try {
      return await loadOnce(client, keyspace, timeoutMs);
    } catch (error) {
      const cause = error instanceof StoreError ? error.cause : undefined;
      const isCompacted = cause instanceof GrpcError && cause.code === grpcStatus.outOfRange;
      if (!isCompacted || tries === MOST_LOADS) throw error;
    }
  }
}

async function loadOnce(client: EtcdClient, keyspace: Keyspace, timeoutMs: number): Promise<Loaded> {
  const pointer = await client.call(methods.range, { key: keyspace.current }, timeoutMs);
  const revision = pointer.header?.revision ?? 0;
  const generations = parseGenerations(pointer.kvs[0]?.value);
  const current = { ...generations, revision: pointer.kvs[0]?.modRevision ?? 0 };
  const documents = new DocumentTable();
  const history = new ChunkedHistory();
  const locks: KeyValue[] = [];
  for await (const kv of readRange(client, keyspace.range('d', current.documents), revision, timeoutMs)) {
    const place = keyspace.parse(kv.key);
    if (place.kind === 'document') {
      documents.apply(kv.modRevision, [{ key: place.key, json: kv.value.toString('utf8') }]);
    }
  }
  for await (const kv of readRange(client, keyspace.range('h', current.history), revision, timeoutMs)) {
    const place = keyspace.parse(kv.key);
    if (place.kind === 'chunk') history.putChunk(place.stream, place.number, Buffer.from(kv.value), kv.modRevision);
  }
  for await (const kv of readRange(client, keyspace.range('l'), revision, timeoutMs)) locks.push(kv);
  return { contents: { documents, history, current }, revision, locks };
}

/** In pages of a bounded weight. */
async function* readRange(
  client: EtcdClient,
  range: { readonly key: Buffer; readonly rangeEnd: Buffer },
  revision: Revision,
  timeoutMs: number,
): AsyncGenerator<KeyValue> {
  let key = range.key;
  let limit = 100;
  for (;;) {
    const page = await client.call(methods.range, { key, rangeEnd: range.rangeEnd, limit, revision }, timeoutMs);
    yield* page.kvs;
    const last = page.kvs.at(-1);
    if (!page.more || !last) return;
    key = Buffer.concat([last.key, Buffer.of(0)]);
    const weight = page.kvs.reduce((sum, kv) => sum + kv.key.length + kv.value.length, 0);
    limit = Math.max(1, Math.min(MOST_KEYS_IN_PAGE, Math.floor((PAGE_BYTES * page.kvs.length) / weight)));
  }
}
