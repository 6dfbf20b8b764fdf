// Hands committed changes to those who watch. Remembers the newest ones for watchers that come a little late.
import { HistoryGone } from './errors.ts';
import type { Change, Revision } from './store.ts';

const REMEMBERED = 1000;
/** A watcher that lags more than this is cut off: it must range again. */
const MOST_UNREAD = 10_000;

export class Watchers {
  readonly #watchers = new Set<Watcher>();
  #recent: Change[] = [];
  /** Every change after this revision is in `recent`. */
  #completeAfter: Revision;

  constructor(revision: Revision) {
    this.#completeAfter = revision;
  }

  publish(changes: readonly Change[]): void {
    this.#recent.push(...changes);
    if (this.#recent.length > 2 * REMEMBERED) {
      const dropped = this.#recent.splice(0, this.#recent.length - REMEMBERED);
      this.#completeAfter = dropped.at(-1)?.revision ?? this.#completeAfter;
    }
    for (const watcher of this.#watchers) watcher.offer(changes);
  }

  watch(prefix: string, fromRevision: Revision | undefined): AsyncIterableIterator<Change> {
    if (fromRevision !== undefined && fromRevision < this.#completeAfter) {
      throw new HistoryGone(`changes after revision ${fromRevision} are no longer remembered`);
    }
    const watcher = new Watcher(prefix, () => this.#watchers.delete(watcher));
    if (fromRevision !== undefined) watcher.offer(this.#recent.filter((change) => change.revision > fromRevision));
    this.#watchers.add(watcher);
    return watcher;
  }

  close(): void {
    for (const watcher of this.#watchers) void watcher.return();
  }
}

class Watcher implements AsyncIterableIterator<Change> {
  readonly #prefix: string;
  readonly #leave: () => void;
  #unread: Change[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: Error | undefined;

  constructor(prefix: string, leave: () => void) {
    this.#prefix = prefix;
    this.#leave = leave;
  }

  offer(changes: readonly Change[]): void {
    for (const change of changes) if (change.key.startsWith(this.#prefix)) this.#unread.push(change);
    if (this.#unread.length > MOST_UNREAD) {
      this.#unread = [];
      this.#failure = new HistoryGone('the watcher lags too far behind');
      this.#leave();
    }
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Change>> {
    for (;;) {
      const change = this.#unread.shift();
      if (change) return { value: change, done: false };
      if (this.#failure) throw this.#failure;
      if (this.#ended) return { value: undefined, done: true };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  return(): Promise<IteratorResult<Change>> {
    this.#ended = true;
    this.#leave();
    this.#wake?.();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
