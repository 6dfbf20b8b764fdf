export { CompareFailed, HistoryGone, StoreClosed, StoreError, StoreFull, StoreLocked } from './errors.ts';
export type { History, HistoryEntry, HistoryQuery } from './history.ts';
export { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';
export type { Change, Compare, Doc, Json, Op, RangeOptions, Revision, Store } from './store.ts';
