// The objects of a property filter: hears of changes, and on demand brings what it knows up to date and says what differs
// from any earlier version. Between demands a change costs one entry in a set. May serve many sessions (session-filter.ts).
//
// Versions are its own: they count evaluations that found a difference.
import { type MoRef, moRefKey } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ChangeRouter, Interest, Watcher } from './change-router.ts';
import type { FilterPlan, SelectionPlan } from './filter-plan.ts';
import { FilterChanges } from './filter-update.ts';
import { Membership, type Visit } from './membership.ts';
import { followSelection } from './selection.ts';
import { TrackedObject } from './tracked-object.ts';
import type { Answers } from './update-set.ts';
import type { Viewer } from './viewer.ts';

/** What a client must be told about one object. 'modify': only the paths listed; 'enter': all of them. */
export type ObjectChange =
  | {
      readonly kind: 'enter' | 'modify';
      readonly ref: MoRef;
      readonly tracked: TrackedObject;
      readonly since: number;
    }
  | { readonly kind: 'leave'; readonly ref: MoRef };

/** An object that a client may have in its copy. */
export interface KnownObject {
  readonly ref: MoRef;
  /** At versions from this one on … */
  readonly since: number;
  /** … and before this one. */
  readonly until: number;
}

/** A session's filter that lives off this state. */
export interface FilterUser {
  /** There may be something new; called at most once between two evaluations, inside a change: only note it. */
  dirtied(): void;
  /** The versions that its client may ask from, oldest first. */
  readonly positions: readonly number[];
}

const UNCHANGED: readonly string[] = [];

/** A visited object as the filter sees it. */
class Seen implements Watcher {
  readonly visit: Visit<Seen>;
  readonly interest: Interest;
  tracked: TrackedObject | undefined;
  /** A root, and one that is to be reported itself. */
  isRoot = false;
  isReportedRoot = false;
  isForgotten = false;
  /** Top-level properties that changed since the last evaluation; undefined = look at everything. */
  changes: readonly string[] | undefined = UNCHANGED;
  readonly #noteDirty: (seen: Seen) => void;

  constructor(visit: Visit<Seen>, interest: Interest, noteDirty: (seen: Seen) => void) {
    this.visit = visit;
    this.interest = interest;
    this.#noteDirty = noteDirty;
  }

  changed(properties: readonly string[] | undefined): void {
    if (properties === undefined) this.changes = undefined;
    else if (this.changes?.length === 0) this.changes = properties;
    else if (this.changes !== undefined) this.changes = [...new Set([...this.changes, ...properties])];
    this.#noteDirty(this);
  }
}

export class FilterState {
  readonly plan: FilterPlan;
  readonly #viewer: Viewer;
  readonly #router: ChangeRouter;
  readonly #answers: Answers;
  readonly #closed: () => void;
  readonly #users = new Set<FilterUser>();
  readonly #membership: Membership<Seen>;
  readonly #interests = new Map<string, Interest>();
  /** Left objects that some client may still have in its copy. */
  readonly #departed = new Map<string, { readonly tracked: TrackedObject; readonly ref: MoRef }>();
  readonly #missingSince = new Map<string, { readonly ref: MoRef; readonly version: number }>();
  #dirty = new Set<Seen>();
  /** Every change by version, oldest first; an object counts at its last mention. */
  #log: { readonly version: number; readonly ref: MoRef; readonly tracked: TrackedObject }[] = [];
  /** What was told since the last difference, by version asked from and style. */
  readonly #told = new Map<string, FilterChanges>();
  #version = 0;
  #isStarted = false;
  #isClosed = false;

  constructor(options: {
    readonly plan: FilterPlan;
    readonly viewer: Viewer;
    readonly router: ChangeRouter;
    readonly answers: Answers;
    /** Called when the last user has gone. */
    readonly closed: () => void;
  }) {
    this.plan = options.plan;
    this.#viewer = options.viewer;
    this.#router = options.router;
    this.#answers = options.answers;
    this.#closed = options.closed;
    this.#membership = new Membership<Seen>({
      selectionsAt: this.plan.selectionsAt,
      targets: (from, selection) => this.#targets(from, selection),
      visited: (visit) => this.#visited(visit),
      forgotten: (visit) => this.#forgotten(visit),
    });
  }

  get isDirty(): boolean {
    return !this.#isStarted || this.#dirty.size > 0;
  }

  /** The version of the last difference; 0 when there was none. */
  get version(): number {
    return this.#version;
  }

  attach(user: FilterUser): void {
    this.#users.add(user);
  }

  /** Closes with the last one. */
  detach(user: FilterUser): void {
    if (!this.#users.delete(user) || this.#users.size > 0 || this.#isClosed) return;
    this.#isClosed = true;
    for (const visit of this.#membership.visits.values()) this.#forgotten(visit);
    this.#dirty.clear();
    this.#closed();
  }

  /** Looks at what changed. */
  evaluate(): void {
    if (this.#isClosed || !this.isDirty) return;
    const version = this.#version + 1;
    if (!this.#lookAround(version)) return;
    this.#version = version;
    this.#told.clear();
    this.#forget(oldestOf(this.#users, version));
  }

  /** Whether anything is different for a client. */
  #lookAround(version: number): boolean {
    this.#compactLog();
    const logged = this.#log.length;
    let isDifferent = false;
    if (!this.#isStarted) {
      this.#isStarted = true;
      for (const root of this.plan.roots) {
        const seen = this.#membership.addRoot(root).state;
        if (!seen) continue;
        seen.isRoot = true;
        seen.isReportedRoot ||= !root.skip;
        seen.changed(undefined);
      }
    }
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const seen of dirty) if (this.#movesOn(seen)) this.#membership.refresh(seen.visit);
    for (const { state: seen } of this.#membership.settle()) {
      if (!seen) continue;
      this.#reconsider(seen, version);
      // What moved may be under other permissions now.
      this.#update(seen, undefined, version);
    }
    for (const seen of dirty) {
      const properties = seen.changes;
      seen.changes = UNCHANGED;
      if (seen.isForgotten) continue;
      if (properties === undefined) this.#reconsider(seen, version);
      if (properties === undefined && seen.isRoot) isDifferent = this.#noteMissingRoot(seen, version) || isDifferent;
      this.#update(seen, properties, version);
    }
    return isDifferent || this.#log.length > logged;
  }

  /** What changed after a version that evaluate made (0: tell everything). */
  changesSince(since: number, partialUpdates: boolean): FilterChanges {
    const key = `${since} ${partialUpdates}`;
    let told = this.#told.get(key);
    if (!told) {
      const style = { partialUpdates, rank: this.plan.rank };
      const objectSet = (since === 0 ? this.#everything() : this.#changes(since))
        .map((change) => this.#answers.objectUpdate(change, style))
        .filter((update) => update !== undefined);
      const missing = [...this.#missingSince.values()].filter((root) => root.version > since);
      const missingSet = missing.map(({ ref }) => this.#answers.missingObject(ref));
      told = new FilterChanges(objectSet, missingSet);
      this.#told.set(key, told);
    }
    return told;
  }

  /** All that clients may have in their copies. */
  knownObjects(): KnownObject[] {
    const known: KnownObject[] = [];
    const note = (ref: MoRef, { knownSince, leftAt }: TrackedObject) =>
      known.push({ ref, since: knownSince, until: leftAt ?? Number.POSITIVE_INFINITY });
    for (const { ref, state } of this.#membership.visits.values()) {
      // Those that left are among the departed, whether they are still visited or not.
      if (state?.tracked && state.tracked.leftAt === undefined) note(ref, state.tracked);
    }
    for (const { ref, tracked } of this.#departed.values()) note(ref, tracked);
    return known;
  }

  /** No client will ask for changes since versions older than this one. */
  #forget(version: number): void {
    const keep = this.#log.findIndex((entry) => entry.version > version);
    const old = keep < 0 ? this.#log : this.#log.slice(0, keep);
    if (old.length === 0) return;
    this.#log = keep < 0 ? [] : this.#log.slice(keep);
    for (const { tracked } of old) tracked.forget(version);
    for (const [key, { tracked }] of this.#departed) {
      if (tracked.leftAt !== undefined && tracked.leftAt <= version) this.#departed.delete(key);
    }
  }

  /** Everything has to be looked at again: what the client may see has changed. */
  invalidate(): void {
    for (const visit of this.#membership.visits.values()) visit.state?.changed(undefined);
  }

  /** As invalidate, for one object. */
  lookAgain(ref: MoRef): void {
    this.#membership.visits.get(moRefKey(ref))?.state?.changed(undefined);
  }

  readonly #noteDirty = (seen: Seen): void => {
    const isFirst = this.#dirty.size === 0;
    this.#dirty.add(seen);
    if (isFirst && !this.#isClosed) for (const user of this.#users) user.dirtied();
  };

  #visited(visit: Visit<Seen>): void {
    const seen = new Seen(visit, this.#interestIn(visit.ref.type), this.#noteDirty);
    visit.state = seen;
    const departed = this.#departed.get(visit.key);
    if (departed) seen.tracked = departed.tracked;
    this.#router.watch(visit.ref, seen.interest, seen);
  }

  #forgotten(visit: Visit<Seen>): void {
    const seen = visit.state;
    if (!seen) return;
    seen.isForgotten = true;
    this.#router.unwatch(visit.ref, seen.interest, seen);
  }

  #interestIn(type: string): Interest {
    let interest = this.#interests.get(type);
    if (!interest) {
      const reported = this.plan.typePlan(type)?.paths.map((path) => path.property) ?? [];
      const followed = this.plan.selectionsAt(type).map((selection) => selection.path.property);
      interest = this.#router.interest([...reported, ...followed]);
      this.#interests.set(type, interest);
    }
    return interest;
  }

  #targets(from: MoRef, selection: SelectionPlan): readonly MoRef[] {
    const object = this.#viewer.find(from);
    if (!object || !this.#viewer.sees(object)) return [];
    return followSelection(this.#viewer, object, selection);
  }

  #movesOn(seen: Seen): boolean {
    const { visit, changes } = seen;
    if (changes === undefined) return true;
    for (const { selection } of visit.applications?.values() ?? []) {
      if (changes.includes(selection.path.property)) return true;
    }
    return false;
  }

  /** Enters, leaves, or notices that another object stands under the reference now. */
  #reconsider(seen: Seen, version: number): void {
    const { visit } = seen;
    const object = visit.reports > 0 ? this.#viewer.find(visit.ref) : undefined;
    const plan = object && this.plan.typePlan(visit.ref.type);
    // A root that may not be seen is reported with what is missing: the client named it itself.
    const isReported = object && plan && (seen.isReportedRoot || this.#viewer.sees(object));
    const { tracked } = seen;
    const isTracked = tracked !== undefined && tracked.leftAt === undefined;
    if (isReported && !isTracked) this.#enter(seen, object, version);
    else if (!isReported && isTracked) this.#leave(seen, tracked, version);
    else if (isReported && tracked) tracked.object = object;
  }

  #enter(seen: Seen, object: ManagedObject, version: number): void {
    const { visit, tracked } = seen;
    if (tracked) {
      tracked.enter(object, this.#viewer, version);
      this.#departed.delete(visit.key);
    } else {
      const plan = this.plan.typePlan(visit.ref.type);
      if (!plan) return;
      seen.tracked = new TrackedObject(plan, object, this.#viewer, version);
    }
    if (seen.tracked) this.#log.push({ version, ref: visit.ref, tracked: seen.tracked });
  }

  #leave(seen: Seen, tracked: TrackedObject, version: number): void {
    tracked.leave(version);
    this.#departed.set(seen.visit.key, { tracked, ref: seen.visit.ref });
    this.#log.push({ version, ref: seen.visit.ref, tracked });
  }

  #update(seen: Seen, properties: readonly string[] | undefined, version: number): void {
    const { tracked } = seen;
    if (!tracked || tracked.leftAt !== undefined || tracked.enteredAt === version) return;
    if (!tracked.update(this.#viewer, properties, version)) return;
    this.#log.push({ version, ref: seen.visit.ref, tracked });
    if (tracked.hasLongPast) tracked.prune(positionsOf(this.#users));
  }

  /** Only the last mention of an object counts; a client that asks from the same version for ever must not pile them up. */
  #compactLog(): void {
    if (this.#log.length < 1000 + 4 * (this.#membership.visits.size + this.#departed.size)) return;
    const last = new Map(this.#log.map((entry) => [entry.tracked, entry]));
    this.#log = this.#log.filter((entry) => last.get(entry.tracked) === entry);
  }

  #noteMissingRoot(seen: Seen, version: number): boolean {
    const { key, ref } = seen.visit;
    const isMissing = this.plan.reportsMissing && this.#viewer.find(ref) === undefined;
    if (isMissing === this.#missingSince.has(key)) return false;
    if (isMissing) this.#missingSince.set(key, { ref, version });
    else this.#missingSince.delete(key);
    return isMissing;
  }

  #everything(): ObjectChange[] {
    const changes: ObjectChange[] = [];
    for (const { ref, state } of this.#membership.visits.values()) {
      const tracked = state?.tracked;
      if (tracked && tracked.leftAt === undefined) changes.push({ kind: 'enter', ref, tracked, since: 0 });
    }
    return changes;
  }

  #changes(since: number): ObjectChange[] {
    const recent = new Map<TrackedObject, MoRef>();
    for (let index = this.#log.length - 1; index >= 0; index--) {
      const entry = this.#log[index];
      if (!entry || entry.version <= since) break;
      recent.set(entry.tracked, entry.ref);
    }
    return [...recent].reverse().flatMap(([tracked, ref]): ObjectChange[] => {
      if (tracked.leftAt !== undefined) return tracked.isLeftover(since) ? [{ kind: 'leave', ref }] : [];
      return [{ kind: tracked.enteredAt > since ? 'enter' : 'modify', ref, tracked, since }];
    });
  }
}

/** The oldest version that anybody may ask from; `current` when nobody does. */
function oldestOf(users: ReadonlySet<FilterUser>, current: number): number {
  let oldest = current;
  for (const { positions } of users) oldest = Math.min(oldest, positions[0] ?? current);
  return oldest;
}

/** All versions that anybody may ask from, oldest first. */
function positionsOf(users: ReadonlySet<FilterUser>): number[] {
  const all = new Set<number>();
  for (const { positions } of users) for (const position of positions) all.add(position);
  return [...all].sort((one, other) => one - other);
}
