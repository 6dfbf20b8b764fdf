// Counts failed logins by user name and says who is locked out. As ESXi 6.0 and later: 5 failures lock an account for
// 900 s (Security.AccountLockFailures, Security.AccountUnlockTime). Names that do not exist count the same.
import type { Clock } from '@vivarium/base';

export interface LockOutPolicy {
  /** Failures in a row that lock; 0 = never. */
  readonly failures: number;
  readonly unlockAfterSeconds: number;
  /** Failures further apart than this do not add up; default: `unlockAfterSeconds`. */
  readonly withinSeconds?: number;
}

interface Record {
  readonly failures: number;
  readonly atMs: number;
}

/**
 * Names remembered that are locked, and as many that are not; of each the ones that failed longest ago are forgotten first. So nobody
 * lifts a lock by failing once each with names that he invents.
 */
const MOST_NAMES = 10_000;

export class LockOut {
  readonly #clock: Clock;
  readonly #policy: () => LockOutPolicy;
  readonly #failed = new Map<string, Record>();
  readonly #locked = new Map<string, Record>();

  constructor(clock: Clock, policy: () => LockOutPolicy) {
    this.#clock = clock;
    this.#policy = policy;
  }

  isLocked(userName: string): boolean {
    const { failures } = this.#policy();
    return failures > 0 && this.#current(userName).failures >= failures;
  }

  /** True when this failure is the one that locks. */
  noteFailure(userName: string): boolean {
    const failures = this.#current(userName).failures + 1;
    const locksFrom = this.#policy().failures;
    this.#forget(userName);
    const records = locksFrom > 0 && failures >= locksFrom ? this.#locked : this.#failed;
    records.set(userName, { failures, atMs: this.#clock.monotonic() });
    const oldest = records.size > MOST_NAMES ? records.keys().next().value : undefined;
    if (oldest !== undefined) records.delete(oldest);
    return failures === locksFrom;
  }

  noteSuccess(userName: string): void {
    this.#forget(userName);
  }

  /** Forgets the failures of all whose names begin so. */
  forgive(prefix: string): void {
    for (const records of [this.#failed, this.#locked])
      for (const userName of records.keys()) if (userName.startsWith(prefix)) records.delete(userName);
  }

  #forget(userName: string): void {
    this.#failed.delete(userName);
    this.#locked.delete(userName);
  }

  #current(userName: string): Record {
    const record = this.#locked.get(userName) ?? this.#failed.get(userName);
    if (!record) return { failures: 0, atMs: 0 };
    const { failures, unlockAfterSeconds, withinSeconds = unlockAfterSeconds } = this.#policy();
    const counts = record.failures >= failures ? unlockAfterSeconds : withinSeconds;
    return this.#clock.monotonic() - record.atMs < counts * 1000 ? record : { failures: 0, atMs: 0 };
  }
}
