// Hands committed changes to those who watch. Remembers the newest ones for watchers that come a little late.
import type { Write } from './encode-batch.ts';
import { HistoryGone } from './errors.ts';
import type { Change, Revision } from './store.ts';

const REMEMBERED = 1000;
/** A watcher that lags more than this is cut off: it must range again. */
const MOST_UNREAD = 10_000;

interface RawChange extends Write {
  readonly revision: Revision;
}

export class Watchers {
  readonly #watchers = new Set<Watcher>();
  #recent: RawChange[] = [];
  /** Every change after this revision is in `recent`. */
  #completeAfter: Revision;

  constructor(revision: Revision) {
    this.#completeAfter = revision;
  }

  /** `writes` were committed as that revision. */
  publish(revision: Revision, writes: readonly Write[]): void {
    const changes = writes.map((write): RawChange => ({ ...write, revision }));
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

  /** Everything is different from that revision on: nobody can follow by single changes. */
  reset(revision: Revision): void {
    this.#recent = [];
    this.#completeAfter = revision;
    for (const watcher of this.#watchers) watcher.fail(new HistoryGone('the contents of the store were replaced'));
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.end();
  }
}

class Watcher implements AsyncIterableIterator<Change> {
  readonly #prefix: string;
  readonly #leave: () => void;
  #unread: RawChange[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: Error | undefined;

  constructor(prefix: string, leave: () => void) {
    this.#prefix = prefix;
    this.#leave = leave;
  }

  offer(changes: readonly RawChange[]): void {
    for (const change of changes) if (change.key.startsWith(this.#prefix)) this.#unread.push(change);
    if (this.#unread.length > MOST_UNREAD) this.fail(new HistoryGone('the watcher lags too far behind'));
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#unread = [];
    this.#failure = error;
    this.#leave();
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Change>> {
    for (;;) {
      const change = this.#unread.shift();
      if (change) return { value: decode(change), done: false };
      if (this.#failure) throw this.#failure;
      if (this.#ended) return { value: undefined, done: true };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** What is unread can still be read. */
  end(): void {
    this.#ended = true;
    this.#leave();
    this.#wake?.();
  }

  return(): Promise<IteratorResult<Change>> {
    this.#unread = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Parsed for each watcher anew: nobody shares a value. */
function decode({ key, json, revision }: RawChange): Change {
  if (json === undefined) return { kind: 'delete', key, revision };
  return { kind: 'put', key, value: JSON.parse(json) as unknown, revision };
}
