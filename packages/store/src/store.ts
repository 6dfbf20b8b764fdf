// What a durable store of documents promises, whatever engine is below.
import type { History } from './history.ts';

/** Any JSON value. Documents are read back as equal, fresh values. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Number of a batch in the order of commits; starts at 1, never reused, survives restarts. */
export type Revision = number;

export interface Doc<T = unknown> {
  readonly key: string;
  readonly value: T;
  /** The revision of the batch that last put it. */
  readonly revision: Revision;
}

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

export interface Store {
  /** The revision of the newest committed batch; 0 for a new store. */
  readonly revision: Revision;
  readonly history: History;
  get<T = unknown>(key: string): Doc<T> | undefined;
  /** Documents whose key starts with `prefix`, by key in code-point order. */
  range<T = unknown>(prefix: string, options?: RangeOptions): Doc<T>[];
  /**
   * All operations or none. Resolves when they are on disk (fsync done); until then reads show the former state.
   * Rejects with CompareFailed, StoreFull, StoreClosed or StoreError.
   */
  batch(ops: readonly Op[], compares?: readonly Compare[]): Promise<Revision>;
  /**
   * Committed changes of keys with `prefix`, in order, from now on or, with `fromRevision`, those after that revision.
   * Throws HistoryGone when they are no longer remembered: range again then. Ends when the store closes.
   */
  watch(prefix: string, fromRevision?: Revision): AsyncIterableIterator<Change>;
  /** Writes what is pending, then closes. */
  close(): Promise<void>;
}
