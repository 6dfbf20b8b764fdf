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

/** More than a batch may hold, see `limits`. Nothing was written. `replace` has no such bound. */
export class BatchTooLarge extends StoreError {
  override readonly name = 'BatchTooLarge';
  readonly what: 'operations' | 'compares' | 'bytes';
  readonly limit: number;
  readonly actual: number;

  constructor(what: BatchTooLarge['what'], limit: number, actual: number) {
    super(`a batch of ${actual} ${what}; at most ${limit} are written at once`);
    this.what = what;
    this.limit = limit;
    this.actual = actual;
  }
}

/** The writer's lease is over: somebody else may have the lock. Nothing was written. */
export class LeaseLost extends StoreError {
  override readonly name = 'LeaseLost';
}

/** Somebody else has the lock and the caller did not want to wait. */
export class LockHeld extends StoreError {
  override readonly name = 'LockHeld';
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

/** The distributed engine could not be asked, or did not answer in time: its quorum is lost, or we are cut off. */
export class StoreUnavailable extends StoreError {
  override readonly name = 'StoreUnavailable';
  /**
   * `notApplied`: nothing was written and will not be. `unknown`: the write may have been committed, or may be when the
   * engine comes back; never after a later write of this store. Reads show what became of it.
   */
  readonly outcome: 'notApplied' | 'unknown';

  constructor(message: string, outcome: StoreUnavailable['outcome'], options?: ErrorOptions) {
    super(message, options);
    this.outcome = outcome;
  }
}
