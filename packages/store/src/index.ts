export { BackupDamaged, BackupTooNew } from './backup/backup-format.ts';
export { type BackupSummary, backupStore, restoreStore } from './backup/backup-store.ts';
export type { Block, BlockRange, BlockStore, BlockWrite } from './blocks.ts';
export { limits } from './encode-batch.ts';
export {
  BatchTooLarge,
  CompareFailed,
  HistoryGone,
  LeaseLost,
  LockHeld,
  StoreClosed,
  StoreError,
  StoreFull,
  StoreLocked,
  StoreUnavailable,
} from './errors.ts';
export type { History, HistoryEntry, HistoryQuery } from './history.ts';
export type { Lease, LockHolder, LockOptions } from './lease.ts';
export { type MemoryStoreOptions, openMemoryStore } from './memory/memory-store.ts';
export { openStore } from './open-store.ts';
export { type DocumentReader, type Migrated, type Migration, migrate, SchemaTooNew } from './schema/migrate.ts';
export { openSqliteBlocks } from './sqlite/sqlite-blocks.ts';
export { openSqliteStore, type SqliteStoreOptions } from './sqlite/sqlite-store.ts';
export type { Change, Compare, Doc, Item, Json, Op, RangeOptions, Revision, Snapshot, Store } from './store.ts';
export { parseStoreUrl, type StoreAddress } from './store-url.ts';
