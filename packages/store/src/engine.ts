// What an engine does for `makeStore`, which checks and encodes what callers give before it comes here.
import type { EncodedBatch } from './encode-batch.ts';
import type { EncodedEntry } from './encode-entries.ts';
import type { History } from './history.ts';
import type { Lease, LockOptions } from './lease.ts';
import type { Item, Revision, Store } from './store.ts';

/** The lease that a write depends on. */
export type Guard = Lease | undefined;

export interface EngineHistory extends Omit<History, 'append'> {
  append(stream: string, entries: readonly EncodedEntry[], keep: number, guard: Guard): Promise<void>;
}

export interface Engine
  extends Pick<
    Store,
    'revision' | 'isStale' | 'get' | 'range' | 'watch' | 'sync' | 'lockHolder' | 'snapshot' | 'close'
  > {
  readonly history: EngineHistory;
  write(batch: EncodedBatch, guard: Guard): Promise<Revision>;
  lock(name: string, options: LockOptions & { readonly ttlMs: number }): Promise<Lease>;
  replace(items: AsyncIterable<Item>, keepHistory: boolean, guard: Guard): Promise<Revision>;
}
