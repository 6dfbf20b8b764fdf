import { StoreError, StoreFull, StoreLocked } from '../errors.ts';

// Primary result codes, sqlite.org/rescode.html.
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

/** SQLite's error as ours. The extended result code's low byte is the primary one. */
export function sqliteError(what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = (typeof error === 'object' && error && 'errcode' in error ? Number(error.errcode) : 0) & 0xff;
  const message = `${what}: ${error instanceof Error ? error.message : String(error)}`;
  if (code === SQLITE_FULL) return new StoreFull(message, { cause: error });
  if (code === SQLITE_BUSY) return new StoreLocked(message, { cause: error });
  return new StoreError(message, { cause: error });
}
