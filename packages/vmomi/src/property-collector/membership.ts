// Which objects a filter or a container view reaches, kept up to date by differences: when one object's children
// change, only they are looked at. Knows references, not objects; who may see what comes in through the terrain.
//
//   root ──selections──> Application(object, selection) ──targets──> Visit(object) ──next selections──> Application …
//
// An application lives while something supports it: a root, or an application that leads to its object. Counting
// supports is exact unless selections recurse over a cycle of objects (then two applications may support each other);
// such a suspicion is settled by marking everything that the roots still reach.
import { type MoRef, moRefKey, sameRef } from '@vivarium/vim';
import type { RootPlan, SelectionPlan } from './filter-plan.ts';

/** What the paths of selections lead to right now, and who wants to know of visited objects. */
export interface Terrain<S> {
  /** The selections that start at objects of this type. */
  selectionsAt(type: string): readonly SelectionPlan[];
  /** Where the selection leads from here; empty when the object is not there, not visible or the property unset. */
  targets(from: MoRef, selection: SelectionPlan): readonly MoRef[];
  visited(visit: Visit<S>): void;
  forgotten(visit: Visit<S>): void;
}

interface Application {
  readonly selection: SelectionPlan;
  supports: number;
  /** False until its targets were first looked up. */
  isRead: boolean;
  targets: readonly MoRef[];
}

const NOWHERE: readonly MoRef[] = [];

/** An object that is passed through or reported. `state` is the owner's. */
export class Visit<S> {
  readonly ref: MoRef;
  readonly key: string;
  /** By how many ways it is reached; 0 = forgotten. */
  ways = 0;
  /** By how many of them it is to be reported. */
  reports = 0;
  /** Undefined for most objects: they lead nowhere. */
  applications: Map<SelectionPlan, Application> | undefined;
  state: S | undefined;

  constructor(ref: MoRef, key: string) {
    this.ref = ref;
    this.key = key;
  }

  application(selection: SelectionPlan): Application | undefined {
    return this.applications?.get(selection);
  }
}

export class Membership<S> {
  readonly #terrain: Terrain<S>;
  readonly #visits = new Map<string, Visit<S>>();
  readonly #roots: { readonly visit: Visit<S>; readonly root: RootPlan }[] = [];
  /** Ways that are gone but not yet taken off, so that what moved within one round is not dropped and found again. */
  #gone: { readonly selection: SelectionPlan; readonly targets: readonly MoRef[] }[] = [];
  #unread: { readonly visit: Visit<S>; readonly application: Application }[] = [];
  #touched = new Set<Visit<S>>();
  #mayHoldItself = false;

  constructor(terrain: Terrain<S>) {
    this.#terrain = terrain;
  }

  /** Everything that is visited, in the order it was first reached. */
  get visits(): ReadonlyMap<string, Visit<S>> {
    return this.#visits;
  }

  addRoot(root: RootPlan): Visit<S> {
    const visit = this.#enter(root.ref, root.skip);
    this.#roots.push({ visit, root });
    for (const selection of root.next) this.#support(visit, selection);
    return visit;
  }

  /** Looks again where the selections at this object lead. */
  refresh(visit: Visit<S>): void {
    for (const application of visit.applications?.values() ?? []) {
      if (!application.isRead) continue;
      const before = application.targets;
      const after = this.#terrain.targets(visit.ref, application.selection);
      if (before === after) continue;
      application.targets = after;
      const [removed, added] = arrayDifference(before, after);
      this.#link(application.selection, added);
      if (removed.length > 0) this.#gone.push({ selection: application.selection, targets: removed });
    }
  }

  /** Finishes a round. Returns the visits to which a way came or went, the forgotten ones among them. */
  settle(): Set<Visit<S>> {
    this.#readNew();
    for (let next = this.#gone.pop(); next !== undefined; next = this.#gone.pop()) {
      for (const target of next.targets) this.#leave(target, next.selection);
    }
    if (this.#mayHoldItself) this.#sweep();
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  #enter(ref: MoRef, skip: boolean): Visit<S> {
    const key = moRefKey(ref);
    let visit = this.#visits.get(key);
    if (!visit) {
      visit = new Visit<S>(ref, key);
      this.#visits.set(key, visit);
      this.#terrain.visited(visit);
    }
    visit.ways += 1;
    if (!skip) visit.reports += 1;
    this.#touched.add(visit);
    return visit;
  }

  #support(visit: Visit<S>, selection: SelectionPlan): void {
    const application = visit.application(selection);
    if (application) {
      application.supports += 1;
    } else if (this.#terrain.selectionsAt(visit.ref.type).includes(selection)) {
      const fresh: Application = { selection, supports: 1, isRead: false, targets: NOWHERE };
      (visit.applications ??= new Map()).set(selection, fresh);
      this.#unread.push({ visit, application: fresh });
    }
  }

  #link(selection: SelectionPlan, targets: readonly MoRef[]): void {
    for (const target of targets) {
      const visit = this.#enter(target, selection.skip);
      for (const next of selection.next) this.#support(visit, next);
    }
  }

  #readNew(): void {
    // Grows while it is read: breadth first, so that `visits` keeps a natural order.
    for (const { visit, application } of this.#unread) {
      if (application.supports === 0) continue;
      application.isRead = true;
      application.targets = this.#terrain.targets(visit.ref, application.selection);
      this.#link(application.selection, application.targets);
    }
    this.#unread = [];
  }

  #leave(ref: MoRef, selection: SelectionPlan): void {
    const visit = this.#visits.get(moRefKey(ref));
    if (!visit) return;
    for (const next of selection.next) this.#unsupport(visit, next);
    this.#takeWay(visit, selection.skip);
  }

  #unsupport(visit: Visit<S>, selection: SelectionPlan): void {
    const application = visit.application(selection);
    if (!application) return;
    application.supports -= 1;
    if (application.supports === 0) this.#drop(visit, application);
    else if (selection.isRecursive) this.#mayHoldItself = true;
  }

  #drop(visit: Visit<S>, application: Application): void {
    remove(visit, application);
    if (application.targets.length > 0) {
      this.#gone.push({ selection: application.selection, targets: application.targets });
    }
  }

  #takeWay(visit: Visit<S>, skip: boolean): void {
    visit.ways -= 1;
    if (!skip) visit.reports -= 1;
    this.#touched.add(visit);
    if (visit.ways > 0) return;
    this.#visits.delete(visit.key);
    this.#terrain.forgotten(visit);
  }

  /** Drops the applications that no root reaches any more. */
  #sweep(): void {
    this.#mayHoldItself = false;
    const reached = this.#reached();
    const dead: { readonly visit: Visit<S>; readonly application: Application }[] = [];
    for (const visit of this.#visits.values()) {
      for (const application of visit.applications?.values() ?? []) {
        if (!reached.has(application)) dead.push({ visit, application });
      }
    }
    // First out of the way, then their ways: so none of them is counted down as if it still lived.
    for (const { visit, application } of dead) remove(visit, application);
    for (const { application } of dead) {
      for (const target of application.targets) this.#leave(target, application.selection);
    }
    this.#mayHoldItself = false;
  }

  #reached(): Set<Application> {
    const reached = new Set<Application>();
    const pending: Application[] = [];
    const reach = (visit: Visit<S> | undefined, selections: readonly SelectionPlan[]) => {
      for (const selection of selections) {
        const application = visit?.application(selection);
        if (!application || reached.has(application)) continue;
        reached.add(application);
        pending.push(application);
      }
    };
    for (const { visit, root } of this.#roots) reach(visit, root.next);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const target of next.targets) reach(this.#visits.get(moRefKey(target)), next.selection.next);
    }
    return reached;
  }
}

function remove<S>(visit: Visit<S>, application: Application): void {
  application.supports = 0;
  visit.applications?.delete(application.selection);
}

/** What is in one list and not in the other, at the price of a walk: lists mostly grow or shrink by a few. */
export function arrayDifference(
  before: readonly MoRef[],
  after: readonly MoRef[],
): [removed: readonly MoRef[], added: readonly MoRef[]] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && isSame(before[head], after[head])) head++;
  let tail = 0;
  while (tail < shorter - head && isSame(before[before.length - 1 - tail], after[after.length - 1 - tail])) tail++;
  return [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
}

function isSame(one: MoRef | undefined, other: MoRef | undefined): boolean {
  return one === other || sameRef(one, other);
}
