// What a durable store of documents promises, whatever engine is below.
import type { History } from './history.ts';
import type { Lease, LockHolder, LockOptions } from './lease.ts';

/** Any JSON value. Documents are read back as equal, fresh values. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** A point in the order of commits. Grows with every commit, not always by one; never reused, survives restarts. */
export type Revision = number;

export interface Doc<T = unknown> {
  readonly key: string;
  readonly value: T;
  /** The revision of the batch that last put it. */
  readonly revision: Revision;
}

/** Of several operations on one key in a batch the last one counts. */
export type Op = { readonly put: string; readonly value: unknown } | { readonly delete: string };

/** The document's revision must be exactly this; 0 = there must be none. */
export interface Compare {
  readonly key: string;
  readonly revision: Revision;
}

export type Change =
  | { readonly kind: 'put'; readonly key: string; readonly value: unknown; readonly revision: Revision }
  | { readonly kind: 'delete'; readonly key: string; readonly revision: Revision };

export interface RangeOptions {
  /** Most documents to return; default all. */
  readonly limit?: number;
  /** Only keys strictly behind this one: the last key of the page before. */
  readonly after?: string;
}

/** One thing that a store holds, its value as JSON text. */
export type Item =
  | { readonly kind: 'document'; readonly key: string; readonly json: string }
  | {
      readonly kind: 'entry';
      readonly stream: string;
      readonly key: number;
      readonly timeMs: number;
      readonly json: string;
    };

/** Everything that a store held at one moment. Dispose it when read. */
export interface Snapshot extends AsyncDisposable {
  readonly revision: Revision;
  /** Documents by key, then history by stream and key. Can be read once. */
  items(): AsyncIterable<Item>;
}

export interface Store {
  /** Every commit up to here is visible to reads; 0 for a new embedded store. */
  readonly revision: Revision;
  /** Reads may be behind what others have committed: a distributed engine has lost touch with its quorum. */
  readonly isStale: boolean;
  readonly history: History;
  get<T = unknown>(key: string): Doc<T> | undefined;
  /** Documents whose key starts with `prefix`, by key in code-point order. */
  range<T = unknown>(prefix: string, options?: RangeOptions): Doc<T>[];
  /**
   * All operations or none. Resolves when they are durable and visible; until then reads show the former state. Batches
   * are committed in the order of the calls. Rejects with CompareFailed, BatchTooLarge (see `limits`), StoreFull,
   * StoreClosed, StoreUnavailable, LeaseLost or StoreError.
   */
  batch(ops: readonly Op[], compares?: readonly Compare[]): Promise<Revision>;
  /**
   * Committed changes of keys with `prefix`, in order, from now on or, with `fromRevision`, those after that revision.
   * Throws HistoryGone when they are no longer remembered: range again then. Ends when the store closes.
   */
  watch(prefix: string, fromRevision?: Revision): AsyncIterableIterator<Change>;
  /** Resolves when whatever anybody has committed before the call is visible here. Rejects with StoreUnavailable. */
  sync(): Promise<void>;
  /**
   * Takes the lock, waiting for it unless told otherwise. When it resolves, everything that earlier holders committed is
   * visible, and nothing that they commit through their guarded stores can come after. Rejects with LockHeld, with the
   * signal's reason, or as batch does.
   */
  lock(name: string, options?: LockOptions): Promise<Lease>;
  /** Who has the lock, as far as this store knows. */
  lockHolder(name: string): LockHolder | undefined;
  /**
   * The same store, whose writes (batch, history, replace) are committed only while the lease is; later ones reject with
   * LeaseLost. The engine decides that together with the write, so that no pause of this process can come between.
   */
  guard(lease: Lease): Store;
  /** A consistent copy, in which later commits do not show. */
  snapshot(): Promise<Snapshot>;
  /**
   * Puts other contents in the place of all: all or nothing, however large; nothing when `items` throws. With
   * `keepHistory` only documents are replaced. Watchers end with HistoryGone. Rejects as batch does.
   */
  replace(items: AsyncIterable<Item>, options?: { readonly keepHistory?: boolean }): Promise<Revision>;
  /** Writes what is pending, gives up its locks, then closes. */
  close(): Promise<void>;
}
