// Writes to etcd: one transaction at a time, which takes along whatever has come in meanwhile (group commit). So batches are
// committed in the order of the calls, and a busy store does not pay a round trip for each.
//
// A transaction whose answer is lost is sent again, and applied once: it depends on the writer's own key, which it changes.
// For the same reason one that was given up for lost can never be applied behind a later one.
import { type Clock, type Random, token } from '@vivarium/base';
import type { Guard } from '../engine.ts';
import { LeaseLost, StoreClosed, StoreError, StoreFull, StoreUnavailable } from '../errors.ts';
import type { Revision } from '../store.ts';
import { backoffMs, type EtcdClient, isNoSpace, isPassing, methods, toStoreError } from './etcd-client.ts';
import { EtcdLease } from './etcd-lease.ts';
import { gatherWork, type Job, type Upkeeping, type Work, workBytes } from './gather-work.ts';
import { GrpcError, grpcStatus } from './grpc-error.ts';
import { encodeDeflatedChunk, encodePlainChunk } from './history-chunk.ts';
import type { Current, Keyspace } from './keyspace.ts';
import type { RequestOp, TxnResponse } from './messages.ts';
import type { Mirror } from './mirror.ts';
import {
  createdIs,
  documentPart,
  type FailedCompare,
  findFailedCompare,
  modIs,
  type Part,
  type Preconditions,
  planDeletesOnly,
  planTransaction,
  readParts,
  readRefusal,
  toCompareFailed,
} from './plan-transaction.ts';
import { SessionLease } from './session-lease.ts';

/** Jobs that make one part: one batch, or the appends to one stream. */
interface GroupPart {
  readonly part: Part;
  readonly jobs: readonly Job[];
}

/** What becomes one transaction. */
interface Group {
  readonly parts: readonly GroupPart[];
  readonly guard: Guard;
  /** The generations that the parts' keys are of. */
  readonly current: Current;
  readonly deadline: number;
}

type Outcome =
  | { readonly kind: 'applied'; readonly revision: Revision; readonly failed: readonly (FailedCompare | undefined)[] }
  /** An earlier try was, as that revision; its answer was lost. */
  | { readonly kind: 'appliedBefore'; readonly revision: Revision }
  | { readonly kind: 'contentsReplaced'; readonly revision: Revision }
  | { readonly kind: 'again' };
type Settled = Exclude<Outcome, { kind: 'again' }>;

const MOST_WAITING = 50_000;
/** A chunk with more bytes is deflated before it is written. */
const DEFLATE_ABOVE = 16 << 10;
/** What is committed has at least this long to come back by the watch. */
const MIRROR_TIMEOUT_MS = 2_000;
const NO_QUORUM = 'etcd has no quorum, or is out of reach';

export interface EtcdWriterOptions {
  readonly client: EtcdClient;
  readonly keyspace: Keyspace;
  readonly mirror: Mirror;
  readonly clock: Clock;
  readonly random: Random;
  /** A write is refused with StoreUnavailable when it has not been committed in that time. */
  readonly timeoutMs: number;
  /** Hears that etcd is full. */
  readonly onFull: () => void;
}

export class EtcdWriter {
  readonly #client: EtcdClient;
  readonly #keyspace: Keyspace;
  readonly #mirror: Mirror;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onFull: () => void;
  readonly #key: Buffer;
  readonly #session: SessionLease;
  #waiting: Job[] = [];
  #running: Promise<void> | undefined;
  #number = 0;
  /** Of the writer's key after the last transaction; unknown after one whose end was not seen. */
  #writerRevision: Revision | undefined;
  #isClosed = false;

  constructor({ client, keyspace, mirror, clock, random, timeoutMs, onFull }: EtcdWriterOptions) {
    this.#client = client;
    this.#keyspace = keyspace;
    this.#mirror = mirror;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onFull = onFull;
    this.#key = keyspace.writer(token(random, 8));
    this.#session = new SessionLease(client, clock, random);
  }

  /** How many there have been. */
  get transactions(): number {
    return this.#number;
  }

  /** Resolves with the revision when the work is committed and visible in the mirror. */
  submit(work: Work, guard: Guard): Promise<Revision> {
    if (this.#isClosed) return Promise.reject(new StoreClosed('the store is closed'));
    if (this.#waiting.length >= MOST_WAITING) return Promise.reject(new StoreFull('too many writes are waiting'));
    if (guard && !(guard instanceof EtcdLease)) return Promise.reject(new StoreError('a lease of another store'));
    const { promise, resolve, reject } = Promise.withResolvers<Revision>();
    this.#waiting.push({ work, guard, deadline: this.#clock.monotonic() + this.#timeoutMs, resolve, reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Refuses new work and resolves when what was accepted is committed or has failed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    await this.#session.close();
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // the rest of the turn comes along
    while (this.#waiting.length > 0) {
      const jobs = gatherWork(this.#waiting);
      this.#waiting.splice(0, jobs.flat().length);
      try {
        await this.#commit(await this.#makeGroup(jobs));
      } catch (error) {
        for (const job of jobs.flat()) job.reject(error);
        if (error instanceof StoreUnavailable) this.#refuseOverdue();
      }
    }
    this.#running = undefined;
  }

  /** What has waited as long as the one that failed before it does not have to wait once more. */
  #refuseOverdue(): void {
    const now = this.#clock.monotonic();
    const overdue = this.#waiting.filter(({ deadline }) => deadline <= now);
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
    for (const { reject } of overdue) reject(new StoreUnavailable(NO_QUORUM, 'notApplied'));
  }

  async #makeGroup(parts: readonly (readonly Job[])[]): Promise<Group> {
    const { current } = this.#mirror;
    const all = parts.flat();
    return {
      parts: await Promise.all(parts.map(async (jobs) => ({ jobs, part: await this.#makePart(jobs, current) }))),
      guard: all[0]?.guard,
      current,
      deadline: Math.max(...all.map(({ deadline }) => deadline)),
    };
  }

  async #makePart(jobs: readonly Job[], current: Current): Promise<Part> {
    const work = jobs[0]?.work;
    if (work?.kind === 'batch') return documentPart(this.#keyspace, current.documents, work.writes, work.compares);
    if (work?.kind === 'upkeep') return this.#upkeepPart(work, current);
    const appends = jobs.flatMap((job) => (job.work.kind === 'append' ? [job.work] : []));
    const stream = appends[0]?.stream ?? '';
    // The latest entry of a key counts.
    const byKey = new Map(appends.flatMap(({ entries }) => entries.map((entry) => [entry.key, entry] as const)));
    const entries = [...byKey.values()];
    const number = this.#mirror.history.nextNumber(stream);
    const key = this.#keyspace.chunk(current.history, stream, number);
    const bytes = appends.reduce((sum, append) => sum + workBytes(append), 0);
    const value = bytes > DEFLATE_ABOVE ? await encodeDeflatedChunk(entries) : encodePlainChunk(entries);
    return { compares: [createdIs(key, 0)], ops: [{ put: { key, value } }] };
  }

  #upkeepPart({ stream, upkeep, merged }: Upkeeping, current: Current): Part {
    const at = (number: number) => this.#keyspace.chunk(current.history, stream, number);
    if (upkeep.kind === 'drop') {
      return { compares: [], ops: upkeep.numbers.map((number) => ({ deleteRange: { key: at(number) } })) };
    }
    const key = at(upkeep.last);
    return {
      compares: [modIs(key, upkeep.lastRevision)],
      ops: [{ deleteRange: { key: at(upkeep.first), rangeEnd: key } }, { put: { key, value: merged } }],
    };
  }

  /** Ends every job of the group, or puts it back, or throws what ends them all. */
  async #commit(group: Group): Promise<void> {
    const outcome = await this.#apply(group);
    const rest = Math.max(MIRROR_TIMEOUT_MS, group.deadline - this.#clock.monotonic());
    await this.#mirror.reach(outcome.revision, rest);
    const jobs = group.parts.flatMap((part) => part.jobs);
    if (outcome.kind === 'contentsReplaced') {
      this.#waiting.unshift(...jobs); // they are made anew, for the new contents
      return;
    }
    const failed =
      outcome.kind === 'applied' ? outcome.failed : await this.#findFailed(group.parts, outcome.revision - 1);
    const again: Job[] = [];
    for (const [index, part] of group.parts.entries()) {
      const failure = failed[index];
      for (const job of part.jobs) {
        if (!failure) job.resolve(outcome.revision);
        else if (job.work.kind === 'append')
          again.push(job); // somebody else has taken the chunk's number
        else job.reject(toCompareFailed(failure, job.work.kind === 'batch' ? job.work.compares : []));
      }
    }
    this.#waiting.unshift(...again);
  }

  async #apply(group: Group): Promise<Settled> {
    this.#number += 1;
    const number = this.#number;
    const sent = { isSent: false };
    try {
      return await this.#applyOnce(group, number, sent);
    } catch (error) {
      // It may still be applied, which gives the writer's key another revision: the next one has to ask. Tries of one
      // transaction must not, or it would be applied twice.
      if (sent.isSent) this.#writerRevision = undefined;
      if (isPassing(error) || error instanceof StoreUnavailable) {
        throw new StoreUnavailable(NO_QUORUM, sent.isSent ? 'unknown' : 'notApplied', { cause: error });
      }
      throw toStoreError('write', error);
    }
  }

  /** Tries until the deadline; `sent` tells whether a try was sent whose end is not known. */
  async #applyOnce(group: Group, number: number, sent: { isSent: boolean }): Promise<Settled> {
    for (let tries = 0; ; tries++) {
      let isUnderWay = false;
      try {
        const lease = await this.#session.ensure(this.#timeoutMs);
        const conditions = await this.#conditions(group);
        const request = planTransaction(conditions, number, lease, partsOf(group));
        isUnderWay = true;
        const answer = await this.#client.attempt(methods.txn, request);
        const outcome = this.#read(answer, number, group, conditions);
        if (outcome.kind !== 'again') return outcome;
        // The key is gone with its lease, and with it the proof whether an earlier try was applied.
        if (sent.isSent && this.#writerRevision === 0) throw new StoreUnavailable(NO_QUORUM, 'unknown');
      } catch (error) {
        const isUnsent = error instanceof GrpcError && error.isUnsent;
        if (isUnderWay && isPassing(error) && !isUnsent) sent.isSent = true;
        if (isNoSpace(error)) {
          this.#onFull();
          // The transaction that fills etcd is applied and gets this answer all the same.
          sent.isSent = true;
          const applied = await this.#findApplied(number);
          sent.isSent = false;
          if (applied) return applied;
          if (partsOf(group).every(isDeletesOnly)) return await this.#deleteOnly(group, sent);
        }
        // The session's lease, and our key with it, is gone: we were cut off for long.
        if (error instanceof GrpcError && error.code === grpcStatus.notFound) this.#session.forget();
        else if (!isPassing(error)) throw error;
        if (this.#clock.monotonic() + backoffMs(tries) >= group.deadline) throw error;
        await this.#client.pause(backoffMs(tries));
      }
    }
  }

  async #findApplied(number: number): Promise<Settled | undefined> {
    const { kvs } = await this.#client.call(methods.range, { key: this.#key }, this.#timeoutMs);
    this.#writerRevision = kvs[0]?.modRevision ?? 0;
    if (Number(kvs[0]?.value.toString()) !== number) return undefined;
    return { kind: 'appliedBefore', revision: this.#writerRevision };
  }

  #read(answer: TxnResponse, number: number, group: Group, { guard, pointerRevision }: Preconditions): Outcome {
    const revision = answer.header?.revision ?? 0;
    if (answer.succeeded) {
      this.#writerRevision = revision;
      return { kind: 'applied', revision, failed: readParts(answer, partsOf(group), 1) };
    }
    const there = readRefusal(answer);
    this.#writerRevision = there.writer?.modRevision ?? 0;
    if (there.writer && Number(there.writer.value.toString()) === number) {
      return { kind: 'appliedBefore', revision: there.writer.modRevision };
    }
    if (guard && there.guard?.createRevision !== guard.fence) {
      throw new LeaseLost('the lease is over: somebody else may have the lock');
    }
    const pointer = there.pointer?.modRevision ?? 0;
    return pointer === pointerRevision ? { kind: 'again' } : { kind: 'contentsReplaced', revision: pointer };
  }

  async #conditions({ guard, current }: Group): Promise<Preconditions> {
    if (this.#writerRevision === undefined) {
      const found = await this.#client.attempt(methods.range, { key: this.#key });
      this.#writerRevision = found.kvs[0]?.modRevision ?? 0;
    }
    return {
      writer: this.#key,
      writerRevision: this.#writerRevision,
      pointer: this.#keyspace.current,
      pointerRevision: current.revision,
      ...(guard instanceof EtcdLease && { guard: { key: guard.key, fence: guard.fence } }),
    };
  }

  /** The parts whose compares did not hold at that revision: what a transaction found whose answer was lost. */
  async #findFailed(parts: readonly GroupPart[], revision: Revision): Promise<(FailedCompare | undefined)[]> {
    const failed: (FailedCompare | undefined)[] = [];
    for (const { part } of parts) {
      const success = part.compares.map(({ key }): RequestOp => ({ range: { key, revision, keysOnly: true } }));
      if (success.length === 0) {
        failed.push(undefined);
        continue;
      }
      const request = { compare: [], success, failure: [] };
      const { responses } = await this.#client.call(methods.txn, request, this.#timeoutMs);
      const found = responses.map(({ range }) => range?.kvs[0]);
      failed.push(findFailedCompare(part.compares, found));
    }
    return failed;
  }

  /** For an etcd that is full: the deletes, without the writer's key. */
  async #deleteOnly(group: Group, sent: { isSent: boolean }): Promise<Settled> {
    const parts = partsOf(group);
    const conditions = await this.#conditions(group);
    sent.isSent = true;
    const answer = await this.#client.attempt(methods.txn, planDeletesOnly(conditions, parts));
    sent.isSent = false;
    const outcome = this.#read(answer, Number.NaN, group, conditions);
    if (outcome.kind === 'again') throw new StoreUnavailable(NO_QUORUM, 'notApplied');
    if (outcome.kind !== 'applied') return outcome;
    this.#writerRevision = conditions.writerRevision;
    // Nothing comes back by the watch when nothing was there.
    const revision = hasDeleted(answer) ? outcome.revision : this.#mirror.revision;
    return { kind: 'applied', revision, failed: readParts(answer, parts, 0) };
  }
}

const partsOf = ({ parts }: Group): Part[] => parts.map(({ part }) => part);

const isDeletesOnly = ({ ops }: Part): boolean => ops.every(({ deleteRange }) => deleteRange !== undefined);

function hasDeleted({ responses }: TxnResponse): boolean {
  return responses.some(({ deleteRange, txn }) => (deleteRange?.deleted ?? 0) > 0 || (txn && hasDeleted(txn)));
}
