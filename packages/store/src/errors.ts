// How a store refuses and fails.

/** The engine failed; `cause` tells how. The batch was not applied. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
}

/** No room on the disk, or the store's own bound is reached. The batch was not applied; later ones may succeed. */
export class StoreFull extends StoreError {
  override readonly name = 'StoreFull';
}

/** Another process has the store open. */
export class StoreLocked extends StoreError {
  override readonly name = 'StoreLocked';
}

export class StoreClosed extends StoreError {
  override readonly name = 'StoreClosed';
}

/** Changes from that revision on are no longer (or not all) remembered. */
export class HistoryGone extends StoreError {
  override readonly name = 'HistoryGone';
}

/** A compare of the batch did not hold. */
export class CompareFailed extends Error {
  override readonly name = 'CompareFailed';
  readonly key: string;
  readonly expected: number;
  readonly actual: number;

  constructor(key: string, expected: number, actual: number) {
    super(`document ${key} is at revision ${actual}, not ${expected}`);
    this.key = key;
    this.expected = expected;
    this.actual = actual;
  }
}

// Primary result codes, sqlite.org/rescode.html.
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

/** SQLite's error as ours. The extended result code's low byte is the primary one. */
export function storeError(what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = (typeof error === 'object' && error && 'errcode' in error ? Number(error.errcode) : 0) & 0xff;
  const message = `${what}: ${error instanceof Error ? error.message : String(error)}`;
  if (code === SQLITE_FULL) return new StoreFull(message, { cause: error });
  if (code === SQLITE_BUSY) return new StoreLocked(message, { cause: error });
  return new StoreError(message, { cause: error });
}
