// The managed objects PropertyCollector and PropertyFilter: from requests to the collector of the session and back.
// The default collector serves everybody, with filters, versions and retrievals of each session's own.
import { type Clock, invariant, type Random, uuid } from '@vivarium/base';
import {
  type Handlers,
  MethodFault,
  type MoRef,
  moRef,
  moRefKey,
  type PropertyFilterSpec,
  type UpdateSet,
  type WaitOptions,
} from '@vivarium/vim';
import type { Authorization } from '../authorization/authorization.ts';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ObjectGraph } from '../graph/object-graph.ts';
import type { Session } from '../session/session.ts';
import type { StandIns } from '../session/stand-ins.ts';
import type { ChangeRouter } from './change-router.ts';
import { Collector } from './collector.ts';
import { watchEntityMoves } from './entity-moves.ts';
import { type FilterPlan, planFilter } from './filter-plan.ts';
import { FilterState } from './filter-state.ts';
import { Retrievals, requireRoots, retrieve } from './retrieval.ts';
import { SessionFilter } from './session-filter.ts';
import { SharedStates, sharedSpec } from './shared-states.ts';
import { Slabs } from './slabs.ts';
import { Answers } from './update-set.ts';
import { momentaryViewerOf, rankOf, type Viewer, viewerOf } from './viewer.ts';
import { type Defer, WakeQueue } from './wake-queue.ts';

export interface PropertyCollectorOptions {
  readonly graph: ObjectGraph;
  readonly authorization: Pick<Authorization, 'onChange' | 'isSetOn'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Shared with the views and the search index. */
  readonly router: ChangeRouter;
  /** Shared with the views. */
  readonly standIns: StandIns;
  readonly defer?: Defer;
  readonly limits?: Partial<CollectorLimits>;
}

export interface CollectorLimits {
  readonly filtersPerSession: number;
  readonly collectorsPerSession: number;
  readonly waitsPerSession: number;
  /** Objects of a session's retrievals whose next page nobody has asked for yet. */
  readonly objectsKept: number;
  /** WaitForUpdatesEx without maxWaitSeconds, or with more, answers "nothing" after this long. */
  readonly maxWaitMs: number;
  /** Encoded objects and property values kept for further clients. */
  readonly encodedBytes: () => number;
}

const DEFAULT_LIMITS: CollectorLimits = {
  filtersPerSession: 4000,
  collectorsPerSession: 500,
  waitsPerSession: 500,
  objectsKept: 500_000,
  maxWaitMs: 30 * 60_000,
  encodedBytes: () => 64 << 20,
};

interface SessionCollector {
  readonly collector: Collector;
  readonly retrievals: Retrievals;
}

export class PropertyCollectors {
  readonly #options: PropertyCollectorOptions;
  readonly #limits: CollectorLimits;
  readonly #answers: Answers;
  readonly #queue: WakeQueue;
  readonly #states = new SharedStates();
  readonly #sessions = new Map<Session, Map<string, SessionCollector>>();

  constructor(options: PropertyCollectorOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#queue = new WakeQueue(options.defer ?? setImmediate, options.clock);
    this.#answers = new Answers(new Slabs(this.#limits.encodedBytes));
    options.authorization.onChange(() => this.#states.invalidate());
    watchEntityMoves(options.graph, (ref) => options.authorization.isSetOn(ref), {
      one: (ref) => this.#states.reconsider(ref),
      many: () => this.#states.invalidate(),
    });
  }

  /** The collector that a service offers in its content: it cannot be destroyed. */
  addDefault(ref: MoRef<'PropertyCollector'>): ManagedObject<'PropertyCollector'> {
    return this.#addObject(ref, undefined);
  }

  #addObject(ref: MoRef<'PropertyCollector'>, session: Session | undefined): ManagedObject<'PropertyCollector'> {
    return this.#options.graph.add(ref, {}, this.#handlers(ref, session !== undefined), {
      computed: { filter: (call) => this.#filterRefs(call.session, ref) },
      ...(session ? { session } : {}),
    });
  }

  #handlers(ref: MoRef<'PropertyCollector'>, isOwned: boolean): Handlers<'PropertyCollector', Call> {
    const of = (call: Call) => this.#sessionCollector(call.session, ref);
    return {
      RetrieveProperties: ({ specSet }, call) => {
        const objects = retrieve(specSet, momentaryViewerOf(call), rankOf(call), this.#answers);
        return objects.length === 0 ? undefined : objects;
      },
      RetrievePropertiesEx: ({ specSet, options }, call) => {
        const pageSize = positive(options?.maxObjects, 'options.maxObjects');
        const objects = retrieve(specSet, momentaryViewerOf(call), rankOf(call), this.#answers);
        // Nobody could continue it: nothing is kept for clients without a login.
        if (call.session.isAnonymous) return new Retrievals().start(objects, Number.POSITIVE_INFINITY);
        if (pageSize !== undefined && pageSize < objects.length) this.#makeRoom(call.session, objects.length);
        return of(call).retrievals.start(objects, pageSize ?? Number.POSITIVE_INFINITY);
      },
      ContinueRetrievePropertiesEx: ({ token }, call) => of(call).retrievals.continue(token),
      CancelRetrievePropertiesEx: ({ token }, call) => of(call).retrievals.cancel(token),
      CreateFilter: ({ spec, partialUpdates }, call) => this.#createFilter(ref, spec, partialUpdates, call),
      CheckForUpdates: ({ version }, call) => of(call).collector.check(version ?? ''),
      WaitForUpdates: ({ version }, call) => this.#waitForUpdates(of(call).collector, version ?? '', call),
      WaitForUpdatesEx: ({ version, options }, call) =>
        this.#waitForUpdatesEx(of(call).collector, version ?? '', options, call),
      CancelWaitForUpdates: (_, call) => of(call).collector.cancel(),
      CreatePropertyCollector: (_, call) => this.#createCollector(call),
      DestroyPropertyCollector: (_, call) => {
        if (!isOwned) throw new MethodFault('NotSupported');
        this.#destroyCollector(call.session, ref);
      },
    };
  }

  /** A client that begins retrievals and never ends them loses those that it has begun. */
  #makeRoom(session: Session, objects: number): void {
    const collectors = [...this.#ofSession(session).values()];
    const kept = collectors.reduce((sum, { retrievals }) => sum + retrievals.kept, objects);
    if (kept > this.#limits.objectsKept) for (const { retrievals } of collectors) retrievals.forget();
  }

  #createFilter(
    collectorRef: MoRef<'PropertyCollector'>,
    spec: PropertyFilterSpec,
    partialUpdates: boolean,
    call: Call,
  ): MoRef<'PropertyFilter'> {
    const { session } = call;
    const { graph, router } = this.#options;
    const viewer = viewerOf(call);
    const plan = planFilter(spec, rankOf(call));
    requireRoots(plan, viewer);
    const { collector } = this.#sessionCollector(session, collectorRef);
    requireRoom(
      this.#count(session, (one) => one.filters.length),
      this.#limits.filtersPerSession,
      'filter',
    );
    const ref = this.#sessionRef('PropertyFilter', session);
    const { state, view } = this.#stateFor(spec, plan, viewer, call);
    const filter = new SessionFilter({ ref, state, partialUpdates, router, view, onDirty: () => collector.wake() });
    const destroy = () => {
      collector.remove(ref);
      graph.remove(ref);
      this.#touchFilters(collectorRef);
    };
    graph.add(ref, { spec, partialUpdates }, { DestroyPropertyFilter: destroy }, { session });
    collector.add(filter);
    this.#touchFilters(collectorRef);
    return ref;
  }

  /** A state that another session uses already where it may be shared; `view` is the filter's root then, if it is a view. */
  #stateFor(spec: PropertyFilterSpec, plan: FilterPlan, viewer: Viewer, call: Call) {
    const { router, standIns } = this.#options;
    const answers = this.#answers;
    const shared = sharedSpec(spec, plan.rank, call.session, viewer);
    if (!shared)
      return {
        state: this.#states.add(undefined, (closed) => new FilterState({ plan, viewer, router, answers, closed })),
      };
    const known = this.#states.find(shared.key);
    if (known) return { state: known, view: shared.view };
    const state = this.#states.add(shared.key, (closed) => {
      const standIn = standIns.acquire(call.session);
      return new FilterState({
        plan: shared.view ? planFilter(shared.spec, plan.rank) : plan,
        viewer: viewerOf(call, standIn.session),
        router,
        answers,
        closed() {
          standIn.release();
          closed();
        },
      });
    });
    return { state, view: shared.view };
  }

  async #waitForUpdates(collector: Collector, version: string, call: Call): Promise<UpdateSet> {
    this.#requireWaitRoom(call.session);
    const answer = await collector.wait(version, { maxWaitMs: undefined, maxObjectUpdates: undefined }, call.onGone);
    if (!answer) throw new MethodFault('RequestCanceled');
    return answer;
  }

  #waitForUpdatesEx(
    collector: Collector,
    version: string,
    options: WaitOptions | undefined,
    call: Call,
  ): Promise<UpdateSet | undefined> | UpdateSet {
    const maxObjectUpdates = positive(options?.maxObjectUpdates, 'options.maxObjectUpdates');
    const seconds = options?.maxWaitSeconds ?? Number.POSITIVE_INFINITY;
    if (seconds < 0) throw new MethodFault('InvalidArgument', { invalidProperty: 'options.maxWaitSeconds' });
    const resumed = collector.resume(version, maxObjectUpdates);
    if (resumed) return resumed;
    this.#requireWaitRoom(call.session);
    const maxWaitMs = Math.min(seconds * 1000, this.#limits.maxWaitMs);
    return collector.wait(version, { maxWaitMs, maxObjectUpdates }, call.onGone);
  }

  #createCollector({ session }: Call): MoRef<'PropertyCollector'> {
    requireRoom(this.#ofSession(session).size, this.#limits.collectorsPerSession, 'propertyCollector');
    const ref = this.#sessionRef('PropertyCollector', session);
    this.#sessionCollector(session, ref);
    this.#addObject(ref, session);
    return ref;
  }

  #destroyCollector(session: Session, ref: MoRef<'PropertyCollector'>): void {
    const collectors = this.#ofSession(session);
    const found = collectors.get(moRefKey(ref));
    collectors.delete(moRefKey(ref));
    if (found) this.#close(found.collector);
    this.#options.graph.remove(ref);
  }

  #close(collector: Collector): void {
    for (const filter of collector.filters) this.#options.graph.remove(filter.ref);
    collector.close();
  }

  #sessionCollector(session: Session, ref: MoRef<'PropertyCollector'>): SessionCollector {
    const collectors = this.#ofSession(session);
    const key = moRefKey(ref);
    let found = collectors.get(key);
    if (!found) {
      const collector = new Collector(this.#options.clock, this.#queue);
      collectors.set(key, (found = { collector, retrievals: new Retrievals() }));
    }
    return found;
  }

  #ofSession(session: Session): Map<string, SessionCollector> {
    let collectors = this.#sessions.get(session);
    if (!collectors) {
      invariant(!session.isAnonymous, 'a call that keeps something needs a login: the dispatcher checks System.View');
      if (session.ended.aborted) throw new MethodFault('RequestCanceled');
      this.#sessions.set(session, (collectors = new Map()));
      session.onEnd(() => this.#endSession(session));
    }
    return collectors;
  }

  #endSession(session: Session): void {
    const collectors = this.#sessions.get(session);
    this.#sessions.delete(session);
    for (const [key, { collector }] of collectors ?? []) {
      this.#close(collector);
      const ref = moRef('PropertyCollector', key.slice('PropertyCollector:'.length));
      if (this.#options.graph.find(ref)?.session === session) this.#options.graph.remove(ref);
    }
  }

  #filterRefs(session: Session, ref: MoRef<'PropertyCollector'>): MoRef<'PropertyFilter'>[] {
    const found = this.#sessions.get(session)?.get(moRefKey(ref));
    return (found?.collector.filters ?? []).map((filter) => filter.ref as MoRef<'PropertyFilter'>);
  }

  #touchFilters(ref: MoRef<'PropertyCollector'>): void {
    this.#options.graph.find(ref)?.touch('filter');
  }

  #count(session: Session, of: (collector: Collector) => number): number {
    let sum = 0;
    for (const { collector } of this.#sessions.get(session)?.values() ?? []) sum += of(collector);
    return sum;
  }

  #requireWaitRoom(session: Session): void {
    requireRoom(
      this.#count(session, (collector) => collector.waiting),
      this.#limits.waitsPerSession,
      'waitForUpdates',
    );
  }

  #sessionRef<T extends 'PropertyFilter' | 'PropertyCollector'>(type: T, session: Session): MoRef<T> {
    return moRef(type, `session[${session.key}]${uuid(this.#options.random)}`);
  }
}

function positive(value: number | undefined, argument: string): number | undefined {
  if (value !== undefined && value <= 0) throw new MethodFault('InvalidArgument', { invalidProperty: argument });
  return value;
}

function requireRoom(used: number, limit: number, property: string): void {
  if (used >= limit) throw new MethodFault('LimitExceeded', { property, limit });
}
