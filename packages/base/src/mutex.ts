// Mutual exclusion between asynchronous sections, first come first served. Not re-entrant: do not nest.

export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `section` when all earlier ones have settled; its outcome is the caller's. */
  run<T>(section: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(section);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
