// One PropertyCollector as one session uses it: its filters, its versions, and the calls that wait for updates.
// Nothing polls: a change marks filters dirty, the first mark wakes the waiting calls once in the next turn.
//
// Versions count evaluations that found a difference. Any version that was handed out may be given again (a client
// whose answer got lost), as long as it is not older than RETAINED_VERSIONS before the newest one that came back to us.
import type { Clock, Timer } from '@vivarium/base';
import { MethodFault, type MoRef, moRefKey, type PropertyFilterUpdate, type UpdateSet } from '@vivarium/vim';
import type { Call } from '../call.ts';
import { updateSet } from './filter-update.ts';
import type { SessionFilter } from './session-filter.ts';
import { Suspension } from './suspension.ts';
import type { WakeQueue } from './wake-queue.ts';

export interface WaitLimits {
  /** Undefined: until there is something. */
  readonly maxWaitMs: number | undefined;
  /** Object updates in one answer; undefined: all. */
  readonly maxObjectUpdates: number | undefined;
}

interface Waiter {
  readonly since: number;
  readonly maxObjectUpdates: number | undefined;
  /** Monotonic; infinite: until there is something. */
  readonly untilMs: number;
  settle(outcome: { readonly answer: UpdateSet | undefined } | { readonly fault: MethodFault }): void;
}

/** Timers are no finer. */
const LEAST_TIMER_MS = 1;
const RETAINED_VERSIONS = 16;
/** A client that never lets its version grow makes us keep every former value; at some point it has to start over. */
const MAX_RETAINED_VERSIONS = 1000;

export class Collector {
  readonly #clock: Clock;
  readonly #queue: WakeQueue;
  readonly #filters = new Map<string, SessionFilter>();
  readonly #waiters: Waiter[] = [];
  /** Rings when the first who waits has waited long enough, or earlier: most are told something before. */
  #alarm: { readonly atMs: number; readonly timer: Timer } | undefined;
  #suspension: Suspension | undefined;
  #version = 0;
  /** Older versions are refused. */
  #horizon = 0;
  #isWakeScheduled = false;
  #isClosed = false;

  constructor(clock: Clock, queue: WakeQueue) {
    this.#clock = clock;
    this.#queue = queue;
  }

  get filters(): readonly SessionFilter[] {
    return [...this.#filters.values()];
  }

  /** Calls that wait right now. */
  get waiting(): number {
    return this.#waiters.length;
  }

  add(filter: SessionFilter): void {
    this.#filters.set(moRefKey(filter.ref), filter);
    this.wake();
  }

  remove(ref: MoRef): void {
    const key = moRefKey(ref);
    this.#filters.get(key)?.close();
    this.#filters.delete(key);
  }

  /** The next part of an answer that was cut off, when `version` is the truncated version it came with. */
  resume(version: string, maxObjectUpdates: number | undefined): UpdateSet | undefined {
    return this.#suspension?.resume(version, maxObjectUpdates);
  }

  /**
   * What changed since a version ('' = tell everything); undefined when nothing did. Drops what was cut off.
   * Fault: InvalidCollectorVersion.
   */
  check(version: string, maxObjectUpdates?: number): UpdateSet | undefined {
    this.#suspension = undefined;
    const since = this.#acknowledge(version);
    this.#evaluate();
    return this.#answer(since, maxObjectUpdates);
  }

  /**
   * As check, but waits for something to tell. Resolves with undefined after `maxWaitMs`.
   * Faults: InvalidCollectorVersion; RequestCanceled when cancelled or closed, or when the client has gone.
   */
  wait(version: string, limits: WaitLimits, onGone?: Call['onGone']): Promise<UpdateSet | undefined> {
    const { maxObjectUpdates, maxWaitMs } = limits;
    if (this.#isClosed) throw new MethodFault('RequestCanceled');
    // Whoever has just been told something stands in line behind those who have not: under load all are told equally often.
    const standsInLine = this.#queue.isBusy && version !== '' && maxWaitMs !== 0;
    if (standsInLine) {
      this.#suspension = undefined;
      this.#acknowledge(version);
    } else {
      const answer = this.check(version, maxObjectUpdates);
      if (answer || maxWaitMs === 0) return Promise.resolve(answer);
    }
    return new Promise((resolve, reject) => {
      let takeBack: (() => void) | undefined;
      const waiter: Waiter = {
        since: version === '' ? 0 : Number(version),
        maxObjectUpdates,
        untilMs: maxWaitMs === undefined ? Number.POSITIVE_INFINITY : this.#clock.monotonic() + maxWaitMs,
        settle: (outcome) => {
          const at = this.#waiters.indexOf(waiter);
          if (at < 0) return;
          this.#waiters.splice(at, 1);
          takeBack?.();
          if ('fault' in outcome) reject(outcome.fault);
          else resolve(outcome.answer);
        },
      };
      this.#waiters.push(waiter);
      takeBack = onGone?.(() => waiter.settle({ fault: new MethodFault('RequestCanceled') }));
      if (!this.#waiters.includes(waiter)) return takeBack?.(); // it had gone before
      this.#setAlarm(waiter.untilMs);
      if (standsInLine) this.wake();
    });
  }

  #setAlarm(atMs: number): void {
    if (atMs >= (this.#alarm?.atMs ?? Number.POSITIVE_INFINITY)) return;
    this.#alarm?.timer.cancel();
    this.#alarm = { atMs, timer: this.#clock.setTimer(atMs - this.#clock.monotonic(), this.#timeIsUp) };
  }

  readonly #timeIsUp = (): void => {
    this.#alarm = undefined;
    const nowMs = this.#clock.monotonic();
    const isUp = ({ untilMs }: Waiter) => untilMs - nowMs < LEAST_TIMER_MS;
    if (this.#waiters.some(isUp)) this.#answerWaiters(); // it may be their turn only later
    for (const waiter of this.#waiters.filter(isUp)) waiter.settle({ answer: undefined });
    for (const { untilMs } of this.#waiters) this.#setAlarm(untilMs);
  };

  /** Ends the waiting calls with RequestCanceled. */
  cancel(): void {
    for (const waiter of [...this.#waiters]) waiter.settle({ fault: new MethodFault('RequestCanceled') });
  }

  close(): void {
    this.#isClosed = true;
    this.cancel();
    this.#alarm?.timer.cancel();
    for (const filter of this.#filters.values()) filter.close();
    this.#filters.clear();
    this.#suspension = undefined;
  }

  /** There may be something new. Cheap when nobody waits. */
  wake(): void {
    if (this.#isWakeScheduled || this.#waiters.length === 0) return;
    this.#isWakeScheduled = true;
    this.#queue.push(this.#awake);
  }

  readonly #awake = (): boolean => {
    this.#isWakeScheduled = false;
    return this.#answerWaiters();
  };

  /** Whether there was something to tell. */
  #answerWaiters(): boolean {
    const before = this.#waiters.length;
    if (before === 0) return false;
    this.#evaluate();
    for (const waiter of [...this.#waiters]) {
      if (waiter.since > 0 && waiter.since < this.#horizon)
        waiter.settle({ fault: new MethodFault('InvalidCollectorVersion') });
      const answer = this.#answer(waiter.since, waiter.maxObjectUpdates);
      if (answer) waiter.settle({ answer });
    }
    return this.#waiters.length < before;
  }

  #evaluate(): void {
    const next = this.#version + 1;
    for (const filter of this.#filters.values()) {
      if (filter.isDirty && filter.evaluate(next)) this.#version = next;
    }
    if (this.#version - this.#horizon > MAX_RETAINED_VERSIONS) this.#forget(this.#version - MAX_RETAINED_VERSIONS / 2);
  }

  /** The client has this version, so it will hardly ask from much older ones. Returns it as a number. */
  #acknowledge(version: string): number {
    if (version === '') return 0;
    const since = /^[1-9]\d{0,14}$/.test(version) ? Number(version) : Number.NaN;
    if (!(since >= this.#horizon && since <= this.#version)) throw new MethodFault('InvalidCollectorVersion');
    // Some at a time: with each version it would be felt.
    if (since - this.#horizon > 2 * RETAINED_VERSIONS) this.#forget(since - RETAINED_VERSIONS);
    return since;
  }

  #forget(version: number): void {
    this.#horizon = version;
    for (const filter of this.#filters.values()) filter.forget(version);
  }

  #answer(since: number, maxObjectUpdates: number | undefined): UpdateSet | undefined {
    const filterSet: PropertyFilterUpdate[] = [];
    for (const filter of this.#filters.values()) {
      const update = filter.update(since);
      if (update) filterSet.push(update);
    }
    if (filterSet.length === 0) return undefined;
    const version = String(this.#version);
    if (maxObjectUpdates === undefined) return updateSet(version, filterSet);
    const suspension = new Suspension(version, filterSet);
    const answer = suspension.next(maxObjectUpdates);
    if (answer.truncated) this.#suspension = suspension;
    return answer;
  }
}
