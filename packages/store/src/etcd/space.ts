// Keeps etcd's database small: forgets old revisions, and makes room when etcd says that it is full.
//
// etcd keeps every revision of every key until it is told to compact (etcd.io/docs/v3.4/op-guide/maintenance). A store that
// writes does so every few minutes, as Kubernetes' API server does; a mirror that is further behind reads everything anew.
// A database over its quota (--quota-backend-bytes) refuses every put with an alarm, until it is compacted, defragmented and
// the alarm is taken back.
import type { Clock, Timer } from '@vivarium/base';
import type { Revision } from '../store.ts';
import { type EtcdClient, methods } from './etcd-client.ts';
import { ALARM_DEACTIVATE, ALARM_GET, ALARM_NOSPACE } from './messages.ts';

const EVERY_MS = 5 * 60_000;
const CALL_MS = 5_000;
const DEFRAGMENT_MS = 60_000;
/** Making room again and again would only keep etcd busy. */
const RECLAIM_EVERY_MS = 10_000;

type Client = Pick<EtcdClient, 'attempt' | 'call' | 'memberCount'>;

export class Space {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #revision: () => Revision;
  readonly #transactions: () => number;
  #timer: Timer | undefined;
  #old: Revision = 0;
  #seen = 0;
  #reclaiming: Promise<void> | undefined;
  #reclaimedAt = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  /** `transactions`: how many this store has written. */
  constructor(client: Client, clock: Clock, revision: () => Revision, transactions: () => number) {
    this.#client = client;
    this.#clock = clock;
    this.#revision = revision;
    this.#transactions = transactions;
    this.#compactLater();
  }

  /** Makes room, unless that is being done or was just done. */
  reclaim(): void {
    if (this.#isClosed || this.#reclaiming || this.#clock.monotonic() - this.#reclaimedAt < RECLAIM_EVERY_MS) return;
    this.#reclaiming = this.#reclaim()
      .catch(() => undefined) // not allowed, or out of reach: somebody has to make room by hand
      .finally(() => {
        this.#reclaiming = undefined;
        this.#reclaimedAt = this.#clock.monotonic();
      });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#reclaiming;
  }

  async #reclaim(): Promise<void> {
    await this.#compact(this.#revision());
    for (let member = 0; member < this.#client.memberCount; member++) {
      // One after the other: a member does not answer while it is defragmented.
      await this.#client.attempt(methods.defragment, {}, { member, timeoutMs: DEFRAGMENT_MS }).catch(() => undefined);
    }
    const { alarms } = await this.#client.call(methods.alarm, { action: ALARM_GET, alarm: ALARM_NOSPACE }, CALL_MS);
    for (const { memberId, alarm } of alarms) {
      await this.#client.call(methods.alarm, { action: ALARM_DEACTIVATE, memberId, alarm }, CALL_MS);
    }
  }

  #compactLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.setTimer(EVERY_MS, () => void this.#compactOld());
  }

  async #compactOld(): Promise<void> {
    const [old, seen] = [this.#old, this.#seen];
    this.#old = this.#revision();
    this.#seen = this.#transactions();
    if (old > 0 && this.#seen > seen) await this.#compact(old).catch(() => undefined);
    this.#compactLater();
  }

  async #compact(revision: Revision): Promise<void> {
    // "Has been compacted" is as good.
    await this.#client.call(methods.compact, { revision }, CALL_MS).catch((error: unknown) => {
      if (!/compacted/.test(String(error))) throw error;
    });
  }
}
