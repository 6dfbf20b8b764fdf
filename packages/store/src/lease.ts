// A lock that is held for as long as its holder keeps saying so.
import type { Json, Revision } from './store.ts';

export interface Lease {
  readonly name: string;
  /** The fencing token: every holder's is greater than those of the holders before it. */
  readonly fence: Revision;
  /**
   * Whether nobody else can have the lock now. False while it could not be renewed in time (the engine may come back and
   * with it the lock: nobody has it meanwhile, or the signal is aborted) and after it is lost or released.
   */
  readonly isHeld: boolean;
  /** For how many milliseconds from now that is certain, unless it is renewed; 0 when it is not. */
  readonly restMs: number;
  /** Aborted with LeaseLost when the lock is lost for good. Not by `release`. */
  readonly signal: AbortSignal;
  /**
   * Changes for how long the lock outlives a holder that has died; renewed at once. For a while in which the holder will be too busy
   * to renew. When it rejects, as batch does, the lock is lost.
   */
  setTtl(ttlMs: number): Promise<void>;
  /** Gives the lock up; the next in line has it at once. Idempotent. */
  release(): Promise<void>;
}

export interface LockHolder {
  readonly fence: Revision;
  /** What the holder said of itself. */
  readonly holder: Json;
}

export interface LockOptions {
  /** For how long a holder that has died or been cut off keeps the lock. By monotonic time. Default 3,000 ms. */
  readonly ttlMs?: number;
  /** What others see in `lockHolder`: a name, an address. */
  readonly holder?: Json;
  /** False: do not wait, reject with LockHeld. */
  readonly wait?: boolean;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
}

export const LOCK_TTL_MS = 3_000;
