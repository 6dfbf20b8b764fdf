// Whoever has to be woken, in the order they were asked for, so many in one turn of the event loop: between two turns everybody
// else is served, and changes that come meanwhile are told to those who still wait together with the first one.
//
// Answers have a pace: were each of a thousand clients told of every change by itself, most of the work would be requests and
// replies. Few clients never notice; of many, each is told less often, and more at a time.
import type { Clock } from '@vivarium/base';

/** Runs something in the next turn of the event loop. */
export type Defer = (run: () => void) => void;

/** An answer takes some 50 µs, and the request before it as much. */
const MOST_A_TURN = 64;
/** 6,400 answers a second: a thousand clients are told of everything six times a second. */
const MS_AN_ANSWER = 10 / MOST_A_TURN;
/** What was not told for so long, because nothing happened or something else took the time, is made up for. */
const CATCH_UP_MS = 20;
/** Timers are no finer. */
const LEAST_REST_MS = 1;

export class WakeQueue {
  readonly #defer: Defer;
  readonly #clock: Clock;
  #waiting: (() => boolean)[] = [];
  #isScheduled = false;
  #restUntil = 0;

  constructor(defer: Defer, clock: Clock) {
    this.#defer = defer;
    this.#clock = clock;
  }

  /** Whether somebody is in line. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  /** `wake` says whether there was something to tell. */
  push(wake: () => boolean): void {
    this.#waiting.push(wake);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const restMs = this.#restUntil - this.#clock.monotonic();
    if (restMs < LEAST_REST_MS) this.#defer(this.#turn);
    else this.#clock.setTimer(restMs, this.#turn);
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    const beganMs = this.#clock.monotonic();
    const now = this.#waiting.slice(0, MOST_A_TURN);
    this.#waiting = this.#waiting.slice(MOST_A_TURN);
    let told = 0;
    for (const wake of now) if (wake()) told += 1;
    this.#restUntil = Math.max(this.#restUntil, beganMs - CATCH_UP_MS) + told * MS_AN_ANSWER;
    if (this.#waiting.length > 0) this.#schedule();
  };
}
