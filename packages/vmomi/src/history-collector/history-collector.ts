// What TaskHistoryCollector and EventHistoryCollector share: limits, life, the methods of HistoryCollector.
import { MethodFault } from '@vivarium/vim';
import type { Session } from '../session/session.ts';
import { DEFAULT_PAGE, type HistoryCursor, MOST_ITEMS } from './history-cursor.ts';

/** Collectors that a session may have: TaskManager.maxCollector and EventManager.maxCollector of vSphere. */
export const MOST_COLLECTORS = 32;

/** Counts the collectors of each session. */
export class CollectorQuota {
  readonly #counts = new WeakMap<Session, number>();

  /** Takes one; the returned function gives it back. Fault: InvalidState. */
  take(session: Session): () => void {
    const count = this.#counts.get(session) ?? 0;
    if (count >= MOST_COLLECTORS) throw new MethodFault('InvalidState');
    this.#counts.set(session, count + 1);
    return () => this.#counts.set(session, (this.#counts.get(session) ?? 1) - 1);
  }
}

/** The latest page of a collector, kept up to date as items come. */
export class LatestPage<T> {
  readonly #cursor: HistoryCursor<T>;
  readonly #publish: (page: T[]) => void;
  #size = DEFAULT_PAGE;
  #page: readonly T[];

  constructor(cursor: HistoryCursor<T>, publish: (page: T[]) => void) {
    this.#cursor = cursor;
    this.#publish = publish;
    this.#page = cursor.latest(this.#size);
  }

  get size(): number {
    return this.#size;
  }

  get items(): T[] {
    return [...this.#page];
  }

  /** A new item, or with `replaces` the new state of one that may be on the page. */
  put(item: T, replaces: (other: T) => boolean = () => false): void {
    const known = this.#page.findIndex(replaces);
    const next = known < 0 ? [item, ...this.#page] : this.#page.with(known, item);
    this.#show(next.slice(0, this.#size));
  }

  resize(size: number): void {
    if (!Number.isInteger(size) || size <= 0 || size > MOST_ITEMS) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'maxCount' });
    }
    this.#size = size;
    this.#show(this.#cursor.latest(size));
  }

  #show(page: readonly T[]): void {
    this.#page = page;
    this.#publish([...page]);
  }
}

/** `maxCount` of the Read methods. Fault: InvalidArgument. */
export function readCount(maxCount: number): number {
  if (!Number.isInteger(maxCount) || maxCount <= 0)
    throw new MethodFault('InvalidArgument', { invalidProperty: 'maxCount' });
  return Math.min(maxCount, MOST_ITEMS);
}

/** The methods of HistoryCollector itself. */
export function collectorMethods<T>(cursor: HistoryCursor<T>, page: LatestPage<T>, destroy: () => void) {
  return {
    SetCollectorPageSize: ({ maxCount }: { maxCount: number }) => page.resize(maxCount),
    RewindCollector: () => cursor.rewind(),
    ResetCollector: () => cursor.reset(page.size),
    DestroyCollector: destroy,
  };
}
