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

/** Names remembered; the ones that failed longest ago are forgotten first. */
const MOST_NAMES = 10_000;

export class LockOut {
  readonly #clock: Clock;
  readonly #policy: () => LockOutPolicy;
  readonly #records = new Map<string, Record>();

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
    this.#records.delete(userName);
    this.#records.set(userName, { failures, atMs: this.#clock.monotonic() });
    const oldest = this.#records.size > MOST_NAMES ? this.#records.keys().next().value : undefined;
    if (oldest !== undefined) this.#records.delete(oldest);
    return failures === this.#policy().failures;
  }

  noteSuccess(userName: string): void {
    this.#records.delete(userName);
  }

  /** Forgets the failures of all whose names begin so. */
  forgive(prefix: string): void {
    for (const userName of this.#records.keys()) if (userName.startsWith(prefix)) this.#records.delete(userName);
  }

  #current(userName: string): Record {
    const record = this.#records.get(userName);
    if (!record) return { failures: 0, atMs: 0 };
    const { failures, unlockAfterSeconds, withinSeconds = unlockAfterSeconds } = this.#policy();
    const counts = record.failures >= failures ? unlockAfterSeconds : withinSeconds;
    return this.#clock.monotonic() - record.atMs < counts * 1000 ? record : { failures: 0, atMs: 0 };
  }
}
