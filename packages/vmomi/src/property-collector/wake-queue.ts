// Whoever has to be woken, in the order they were asked for, so many in one turn of the event loop: between two turns everybody
// else is served, and changes that come meanwhile are told to those who still wait together with the first one.

/** Runs something in the next turn of the event loop. */
export type Defer = (run: () => void) => void;

/** An answer takes some 50 µs. */
const MOST_A_TURN = 64;

export class WakeQueue {
  readonly #defer: Defer;
  #waiting: (() => void)[] = [];
  #isDeferred = false;

  constructor(defer: Defer) {
    this.#defer = defer;
  }

  /** Whether somebody is in line. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  push(wake: () => void): void {
    this.#waiting.push(wake);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#defer(() => {
      this.#isDeferred = false;
      const now = this.#waiting.slice(0, MOST_A_TURN);
      this.#waiting = this.#waiting.slice(MOST_A_TURN);
      for (const wake of now) wake();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
