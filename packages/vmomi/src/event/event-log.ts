// Posts events: numbers and words them, tells those who listen, keeps them in the store, bounded.
import { type Clock, dateTime, type Logger } from '@vivarium/base';
import type { History } from '@vivarium/store';
import type { DataTypes, Event } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import { completeArguments } from './event-subject.ts';
import { formatEvent } from './event-text.ts';

/** An event without what `post` fills in. Arguments that follow from others (host of a vm) may be left out too. */
export type NewEvent<K extends keyof DataTypes> = { readonly _typeName: K } & Omit<
  DataTypes[K],
  '_typeName' | 'key' | 'chainId' | 'createdTime' | 'userName'
> & { readonly chainId?: number; readonly userName?: string };

export const EVENT_STREAM = 'events';
const KEPT_EVENTS = 50_000;

export class EventLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #history: History;
  readonly #graph: ObjectGraph;
  readonly #listeners = new Set<(event: Event) => void>();
  #lastKey: number;
  #latest: Event | undefined;
  /** The last one is on disk. */
  #kept: Promise<void> = Promise.resolve();
  #written: Promise<void> = Promise.resolve();

  constructor(options: { clock: Clock; log: Logger; history: History; graph: ObjectGraph }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#history = options.history;
    this.#graph = options.graph;
    this.#lastKey = options.history.lastKey(EVENT_STREAM);
    this.#latest = options.history.page<Event>(EVENT_STREAM, { order: 'newestFirst', limit: 1 })[0]?.value;
  }

  get latest(): Event | undefined {
    return this.#latest;
  }

  /** `call` names the user when the event does not. Events made by one operation share a chainId. */
  post<K extends keyof DataTypes>(event: NewEvent<K>, call?: Call): Event {
    this.#lastKey += 1;
    const key = this.#lastKey;
    const common = {
      key,
      chainId: event.chainId ?? key,
      createdTime: dateTime(this.#clock),
      userName: event.userName ?? call?.session.userName ?? '',
    };
    const posted = completeArguments(this.#graph, { ...event, ...common } as unknown as Event);
    posted.fullFormattedMessage ??= formatEvent(posted);
    this.#latest = posted;
    this.#kept = this.#history.append(EVENT_STREAM, [{ key, timeMs: this.#clock.now(), value: posted }], KEPT_EVENTS);
    this.#written = this.#kept.catch((error: unknown) =>
      this.#log.error({ error, event: posted }, 'an event could not be kept'),
    );
    for (const listener of this.#listeners) listener(posted);
    return posted;
  }

  /** As post, for who asks for nothing else: resolves when the event is on disk. Throws as History.append does. */
  async postKept<K extends keyof DataTypes>(event: NewEvent<K>, call?: Call): Promise<void> {
    this.post(event, call);
    await this.#kept;
  }

  /** Resolves when everything posted so far is in the history (or has failed to get there). */
  settled(): Promise<void> {
    return this.#written;
  }

  onPost(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
