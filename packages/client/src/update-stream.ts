// What filters select, as one stream of changes that outlives connections and sessions. Whoever reads it is told what it
// may still believe:
//
//   begun ──▶ updates … ──▶ lost ──▶ resumed ──▶ updates …     the same session: nothing was missed
//     ▲                      │
//     └──────────────────────┘                                a new session: everything is told anew
//
// Source: vSphere Web Services API, PropertyCollector: a version that was handed out may be given again.
import { type Clock, delay, type Random } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import {
  isFault,
  type MissingObject,
  type MoRef,
  type ObjectUpdate,
  type PropertyFilterSpec,
  type UpdateSet,
} from '@vivarium/vim';
import type { VimClient } from './client.ts';
import { ConnectionLost } from './connection-lost.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface StreamFilter {
  readonly spec: PropertyFilterSpec;
  /** Tell of nested properties by themselves (`config.name`), not of the whole property of the filter. */
  readonly partialUpdates?: boolean;
}

export interface StreamOptions {
  /** What to follow. Asked whenever the stream begins: views that a filter starts from die with their session. */
  readonly filters: () => Promise<readonly StreamFilter[]>;
  /** Ends the stream. */
  readonly signal?: AbortSignal;
  /** The endpoint answers at least this often; default 60. */
  readonly maxWaitSeconds?: number;
  /** Without a byte for this long the endpoint is taken for dead; more than `maxWaitSeconds`. Default: that and 30. */
  readonly heartbeatSeconds?: number;
  /** Objects told of at once; default: all. */
  readonly maxObjectUpdates?: number;
  /** Connects and logs in again when either is lost, until the signal says to stop. Otherwise the stream throws then. */
  readonly reconnect?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
}

export type StreamEvent =
  /** What was told before is void; everything comes anew. Always the first. */
  | { readonly kind: 'begun' }
  | {
      readonly kind: 'updates';
      /** In the order of the filters. */
      readonly objects: readonly ObjectUpdate[];
      readonly missing: readonly MissingObject[];
      /** More of the same moment follows: only then is the picture whole again. */
      readonly isTruncated: boolean;
    }
  /** Nothing is known of the endpoint from here to `resumed` or `begun`. Only with `reconnect`. */
  | { readonly kind: 'lost'; readonly error: ConnectionLost }
  /** The connection is back, and nothing was missed. */
  | { readonly kind: 'resumed' };

type Step =
  | { readonly kind: 'begun' }
  | { readonly kind: 'answered'; readonly set: UpdateSet | undefined }
  /** The collector, or what it was being made of: to be begun anew. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'lost'; readonly error: ConnectionLost };

/**
 * Throws the endpoint's faults (InvalidProperty …; NotAuthenticated when the client does not know how to log in again;
 * InvalidLogin when it is not let in again), UntrustedPeer, and without `reconnect` ConnectionLost. Ends with the signal.
 */
export async function* updateStream(client: VimClient, options: StreamOptions): AsyncGenerator<StreamEvent, void> {
  const { signal, clock = systemClock, random = systemRandom } = options;
  const collecting = new Collecting(client, options);
  let losses = 0;
  try {
    for (;;) {
      const step = await collecting.step(losses > 0);
      if (step.kind === 'lost') {
        if (losses === 0) yield step;
        losses += 1;
        await delay(clock, retryDelayMs(losses, random), signal);
        continue;
      }
      if (step.kind === 'gone') continue;
      const wasLost = losses > 0;
      losses = 0;
      if (step.kind === 'begun') yield step;
      else {
        if (wasLost) yield { kind: 'resumed' };
        if (step.set) yield updatesOf(step.set);
      }
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    await collecting.end(losses > 0);
  }
}

function updatesOf({ filterSet = [], truncated = false }: UpdateSet): StreamEvent {
  return {
    kind: 'updates',
    objects: filterSet.flatMap(({ objectSet }) => objectSet ?? []),
    missing: filterSet.flatMap(({ missingSet }) => missingSet ?? []),
    isTruncated: truncated,
  };
}

/** One collector of the endpoint's at a time, and what was heard of it last. */
class Collecting {
  readonly #client: VimClient;
  readonly #options: StreamOptions;
  readonly #maxWaitSeconds: number;
  readonly #heartbeatMs: number;
  #collector: MoRef<'PropertyCollector'> | undefined;
  /** The collector has all its filters. */
  #isComplete = false;
  /** When this one is found gone, another may be made at once. */
  #mayBeginAtOnce = true;
  #version = '';

  constructor(client: VimClient, options: StreamOptions) {
    this.#client = client;
    this.#options = options;
    this.#maxWaitSeconds = options.maxWaitSeconds ?? 60;
    const heartbeatSeconds = options.heartbeatSeconds ?? this.#maxWaitSeconds + 30;
    if (heartbeatSeconds <= this.#maxWaitSeconds)
      throw new RangeError('an endpoint that may wait for longer than the heartbeat would always be taken for dead');
    this.#heartbeatMs = heartbeatSeconds * 1000;
  }

  /** Begins, or waits for news. `atOnce`: an answer that there is none is news too. */
  async step(atOnce: boolean): Promise<Step> {
    const { session } = this.#client;
    try {
      if (!this.#isComplete) return await this.#begin();
      const set = await this.#wait(atOnce);
      this.#mayBeginAtOnce = true;
      return { kind: 'answered', set };
    } catch (error) {
      if (this.#options.signal?.aborted || !this.#options.reconnect) throw error;
      return this.#recover(error, session);
    }
  }

  /** Takes the collector away, if somebody is there to be told. */
  async end(isLost: boolean): Promise<void> {
    if (!this.#collector || isLost) return;
    await this.#client
      .call(this.#collector, 'DestroyPropertyCollector', {} as never, { renews: false, idleTimeoutMs: 5000 })
      .catch(() => undefined);
  }

  async #recover(error: unknown, session: string | undefined): Promise<Step> {
    if (!isCollectorGone(error, this.#isComplete || this.#client.session !== session)) return lost(error);
    const mayBeginAtOnce = this.#mayBeginAtOnce;
    this.#mayBeginAtOnce = false;
    this.#collector = undefined;
    this.#isComplete = false;
    try {
      if (isFault(error, 'NotAuthenticated') && !(await this.#client.renewSession(session))) throw error;
    } catch (refusal) {
      return lost(refusal);
    }
    // Gone before it was of any use: not again at once.
    if (mayBeginAtOnce) return { kind: 'gone' };
    return lost(new ConnectionLost(String(error), { cause: error, mayHaveArrived: true }));
  }

  async #begin(): Promise<Step> {
    const client = this.#client;
    const { signal } = this.#options;
    const call = { renews: false, ...(signal ? { signal } : {}) };
    const half = this.#collector; // of a beginning that was cut short
    this.#collector = undefined;
    const { propertyCollector } = await client.content();
    if (half) await client.call(half, 'DestroyPropertyCollector', {} as never, call).catch(() => undefined);
    const filters = await this.#options.filters();
    this.#collector = await client.call(propertyCollector, 'CreatePropertyCollector', {} as never, call);
    for (const { spec, partialUpdates = false } of filters)
      await client.call(this.#collector, 'CreateFilter', { spec, partialUpdates }, call);
    this.#version = '';
    this.#isComplete = true;
    this.#mayBeginAtOnce = false;
    return { kind: 'begun' };
  }

  async #wait(atOnce: boolean): Promise<UpdateSet | undefined> {
    const { signal, maxObjectUpdates } = this.#options;
    const options = {
      maxWaitSeconds: atOnce ? 0 : this.#maxWaitSeconds,
      ...(maxObjectUpdates === undefined ? {} : { maxObjectUpdates }),
    };
    const set = await this.#client.call(
      this.#collector as MoRef<'PropertyCollector'>, // it is complete
      'WaitForUpdatesEx',
      { version: this.#version, options },
      {
        renews: false,
        isLongPoll: true,
        isRepeatable: true,
        idleTimeoutMs: this.#heartbeatMs,
        ...(signal ? { signal } : {}),
      },
    );
    if (set) this.#version = set.version;
    return set;
  }
}

/** The session ended, or the collector is gone or has forgotten our version: it has to be begun anew. */
function isCollectorGone(error: unknown, wasThere: boolean): boolean {
  if (isFault(error, 'NotAuthenticated')) return true;
  return wasThere && (isFault(error, 'ManagedObjectNotFound') || isFault(error, 'InvalidCollectorVersion'));
}

/** Throws what is no loss. */
function lost(error: unknown): Step {
  if (error instanceof ConnectionLost) return { kind: 'lost', error };
  // The endpoint gave the wait up: it stops, or somebody told it to.
  if (isFault(error, 'RequestCanceled'))
    return { kind: 'lost', error: new ConnectionLost(error.message, { cause: error, mayHaveArrived: true }) };
  throw error;
}
