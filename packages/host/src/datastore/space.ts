// Room on a datastore, and who wants to hear of it. Capacity and free space come from statfs on demand and after
// operations; a slow timer is the safety net for what others write. While somebody waits for room the timer is quick.
import { statfs } from 'node:fs/promises';
import type { Clock, Logger, Timer } from '@vivarium/base';

export interface Space {
  readonly capacityBytes: number;
  /** What an unprivileged writer may still use. */
  readonly freeBytes: number;
}

const SLOW_MS = 60_000;
const QUICK_MS = 1_000;
/** Below this the timer is quick: writers may be waiting already. */
const LOW_BYTES = 256 * 1024 * 1024;
const LOW_SHARE = 0.01;

export async function readSpace(root: string): Promise<Space> {
  const { bsize, blocks, bavail } = await statfs(root);
  return { capacityBytes: blocks * bsize, freeBytes: bavail * bsize };
}

/** `before`: the reading before this one. */
export type SpaceListener = (space: Space, before: Space | undefined) => void;

export interface SpaceWatchOptions {
  readonly root: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export class SpaceWatch {
  readonly #options: SpaceWatchOptions;
  readonly #listeners = new Set<SpaceListener>();
  #waiting = 0;
  #timer: Timer | undefined;
  #latest: Space | undefined;
  #closed = false;

  constructor(options: SpaceWatchOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** What was read last; undefined before the first reading. */
  get latest(): Space | undefined {
    return this.#latest;
  }

  /** Calls `listener` after every reading. Returns the way to stop. */
  onSpace(listener: SpaceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** From now on space is read every second, until the returned function is called: for a VM that is paused for want of room. */
  watchClosely(): () => void {
    this.#waiting++;
    this.#schedule();
    let done = false;
    return () => {
      if (done) return;
      done = true;
      this.#waiting--;
      this.#schedule();
    };
  }

  /** Reads the space now and tells the listeners. */
  async refresh(): Promise<Space> {
    const space = await readSpace(this.#options.root);
    const before = this.#latest;
    this.#latest = space;
    for (const listener of this.#listeners) listener(space, before);
    if (isLow(space) !== (before !== undefined && isLow(before))) this.#schedule();
    return space;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#listeners.clear();
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const isUrgent = this.#waiting > 0 || (this.#latest !== undefined && isLow(this.#latest));
    this.#timer = this.#options.clock.setTimer(isUrgent ? QUICK_MS : SLOW_MS, () => {
      this.refresh()
        .catch((error: unknown) =>
          this.#options.log.warn({ err: error, root: this.#options.root }, 'cannot read space'),
        )
        .finally(() => this.#schedule());
    });
  }
}

function isLow({ capacityBytes, freeBytes }: Space): boolean {
  return freeBytes < Math.min(LOW_BYTES, capacityBytes * LOW_SHARE);
}
