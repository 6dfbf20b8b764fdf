// Append-only streams of numbered, timed records (events, tasks), each bounded in length.

export interface HistoryEntry<T = unknown> {
  /** Positive, unique in its stream; appending an existing key replaces that entry. */
  readonly key: number;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly value: T;
}

export interface HistoryQuery {
  readonly order: 'oldestFirst' | 'newestFirst';
  /** Keys strictly greater / strictly less. */
  readonly afterKey?: number;
  readonly beforeKey?: number;
  /** Times, both inclusive. */
  readonly fromTimeMs?: number;
  readonly toTimeMs?: number;
  readonly limit: number;
}

export interface History {
  /**
   * Resolves when durable. Beyond `keep` entries (default 50,000) the stream loses its oldest ones, some hundred late.
   * Rejects as Store.batch does.
   */
  append(stream: string, entries: readonly HistoryEntry[], keep?: number): Promise<void>;
  /** Entries in order of their keys. */
  page<T = unknown>(stream: string, query: HistoryQuery): HistoryEntry<T>[];
  /** The greatest key that is there; 0 for an empty stream. */
  lastKey(stream: string): number;
  count(stream: string): number;
  /** The names of the streams that have entries, sorted. */
  streams(): string[];
}

/** Entries that a stream keeps unless it is told otherwise. */
export const KEEP = 50_000;
