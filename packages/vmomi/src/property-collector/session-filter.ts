// A property filter as one session has it: which of the collector's versions are which of the state's, and what the client has to
// be told. The state may serve the same filter of many sessions.
//
// A filter that starts from a view of the session's own shares its state by way of the view's twin. When the view is destroyed,
// what it led to leaves for this session alone: then the filter lets go of the state.
import {
  MethodFault,
  type MissingObject,
  type MoRef,
  type PropertyFilterUpdate,
  toLocalizedMethodFault,
} from '@vivarium/vim';
import type { ChangeRouter, Interest, Watcher } from './change-router.ts';
import type { FilterState, FilterUser, KnownObject } from './filter-state.ts';
import { FilterChanges } from './filter-update.ts';

/** At this version of the collector, the state had that version. */
interface Mark {
  readonly version: number;
  readonly position: number;
}

export interface SessionFilterOptions {
  readonly ref: MoRef<'PropertyFilter'>;
  readonly state: FilterState;
  readonly partialUpdates: boolean;
  readonly router: ChangeRouter;
  /** The session's view that is the only root; absent when the state's roots are the filter's. */
  readonly view?: MoRef | undefined;
  /** There may be something new; inside a change: only note it. */
  readonly onDirty: () => void;
}

export class SessionFilter implements FilterUser, Watcher {
  readonly ref: MoRef<'PropertyFilter'>;
  readonly partialUpdates: boolean;
  readonly #state: FilterState;
  readonly #router: ChangeRouter;
  readonly #view: MoRef | undefined;
  readonly #viewInterest: Interest;
  readonly #onDirty: () => void;
  /** Oldest first. */
  #marks: readonly Mark[] = [];
  #positions: readonly number[] = [];
  /** Version of the collector. */
  #changedAt = 0;
  #isStarted = false;
  #isViewGone = false;
  /** Set when the view has gone and the client was not told yet; the version of the collector. */
  #end: { readonly version: number; readonly known: readonly KnownObject[] } | undefined;

  constructor(options: SessionFilterOptions) {
    this.ref = options.ref;
    this.partialUpdates = options.partialUpdates;
    this.#state = options.state;
    this.#router = options.router;
    this.#view = options.view;
    this.#onDirty = options.onDirty;
    this.#viewInterest = this.#router.interest([]);
    this.#state.attach(this);
    if (this.#view) this.#router.watch(this.#view, this.#viewInterest, this);
  }

  get positions(): readonly number[] {
    return this.#positions;
  }

  get isDirty(): boolean {
    if (this.#end) return false;
    const { isDirty, version } = this.#state;
    return !this.#isStarted || this.#isViewGone || isDirty || version !== this.#position;
  }

  dirtied(): void {
    this.#onDirty();
  }

  /** The view was destroyed: of its properties nothing is watched. */
  changed(): void {
    this.#isViewGone = true;
    this.#onDirty();
  }

  /** Looks at what changed, for a new version of the collector; whether anything is different for the client. */
  evaluate(version: number): boolean {
    if (this.#end) return false;
    this.#isStarted = true;
    this.#state.evaluate();
    if (this.#isViewGone) {
      this.#end = { version, known: this.#state.knownObjects() };
      this.#changedAt = version;
      this.#state.detach(this);
      return true;
    }
    const position = this.#state.version;
    if (position === this.#position) return false;
    this.#mark([...this.#marks, { version, position }]);
    this.#changedAt = version;
    return true;
  }

  /** What the client of this version of the collector has to be told (0: everything); undefined when there is nothing. */
  update(since: number): PropertyFilterUpdate | undefined {
    if (this.#changedAt <= since) return undefined;
    const position = this.#marks.findLast((mark) => mark.version <= since)?.position ?? 0;
    const changes = this.#end
      ? farewell(this.#end.known, position, this.#missingView())
      : this.#state.changesSince(position, this.partialUpdates);
    return changes.asUpdate(this.ref);
  }

  /** No client will ask for changes since versions of the collector older than this one. */
  forget(version: number): void {
    const keep = this.#marks.findLastIndex((mark) => mark.version <= version);
    if (keep > 0) this.#mark(this.#marks.slice(keep));
    if (this.#end && this.#end.version <= version) this.#end = { ...this.#end, known: [] };
  }

  close(): void {
    if (this.#view) this.#router.unwatch(this.#view, this.#viewInterest, this);
    this.#state.detach(this);
  }

  /** Of the state, as far as the client may know. */
  get #position(): number {
    return this.#positions.at(-1) ?? 0;
  }

  #mark(marks: readonly Mark[]): void {
    this.#marks = marks;
    this.#positions = marks.map((mark) => mark.position);
  }

  #missingView(): MissingObject[] {
    if (!this.#view || !this.#state.plan.reportsMissing) return [];
    const fault = toLocalizedMethodFault(new MethodFault('ManagedObjectNotFound', { obj: this.#view }));
    return [{ obj: this.#view, fault }];
  }
}

/** Everything that a client of this position may have leaves. */
function farewell(known: readonly KnownObject[], position: number, missingSet: readonly MissingObject[]) {
  const left = known.filter(({ since, until }) => since <= position && position < until);
  const objectSet = left.map(({ ref: obj }) => ({ kind: 'leave' as const, obj }));
  return new FilterChanges(objectSet, missingSet);
}
