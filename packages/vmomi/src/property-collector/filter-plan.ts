// A PropertyFilterSpec, checked against the schema and made ready to run: which objects, which of their properties.
// Pure: knows types, never objects.
import {
  MethodFault,
  type MoRef,
  type PropertyFilterSpec,
  type PropertySpec,
  type SelectionSpec,
  schema,
  type TraversalSpec,
} from '@vivarium/vim';
import { type PathPlan, planPath } from './path-plan.ts';

/** One TraversalSpec: from objects of `type`, along `path`, to others. */
export interface SelectionPlan {
  readonly type: string;
  readonly path: PathPlan;
  /** Do not report what it leads to, only pass through. */
  readonly skip: boolean;
  /** What is applied to the objects it leads to. May lead back to itself. */
  readonly next: readonly SelectionPlan[];
  /** Whether it can be reached from itself: then what it supports may support it. */
  readonly isRecursive: boolean;
}

export interface RootPlan {
  readonly ref: MoRef;
  readonly skip: boolean;
  readonly next: readonly SelectionPlan[];
}

/** What is reported of the objects of one type: the union over all propSets that match it. */
export interface TypePlan {
  readonly type: string;
  readonly paths: readonly PathPlan[];
}

export interface FilterPlan {
  readonly roots: readonly RootPlan[];
  readonly selections: readonly SelectionPlan[];
  /** Missing roots are reported in results instead of refused. */
  readonly reportsMissing: boolean;
  /** Of the client that made it; see `schema.rank`. */
  readonly rank: number;
  /** Undefined when no propSet matches: such objects are not reported at all. */
  readonly typePlan: (type: string) => TypePlan | undefined;
  /** The selections that start at objects of this type. */
  readonly selectionsAt: (type: string) => readonly SelectionPlan[];
}

/**
 * More selections in one filter, and more ways from one to the next, than any client writes: the classic traversal of
 * the whole inventory has 12 and 40. A walk costs their number for every object.
 */
export const MAX_SELECTIONS = 128;
export const MAX_LINKS = 2000;
/** Paths of all propSets together: each of them is read of every object. */
const MAX_PATHS = 1000;

/**
 * Throws LimitExceeded (more of anything than any client asks for), InvalidProperty (a path that its type does not have), InvalidType (no such managed type) and InvalidArgument
 * (empty spec, unknown selection name, a traversal path that does not lead to objects), as CreateFilter documents.
 */
export function planFilter(spec: PropertyFilterSpec, rank: number): FilterPlan {
  requireFewPaths([spec]);
  if (spec.propSet.length === 0) throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.propSet' });
  if (spec.objectSet.length === 0) throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.objectSet' });
  const properties = spec.propSet.map((set) => planProperties(set, rank));
  const { roots, selections } = planSelections(spec, rank);
  const selectionsAt = memoize((type) => selections.filter((selection) => schema.isSubtype(type, selection.type)));
  const typePlan = memoize((type) => mergeTypePlan(type, properties, rank));
  return {
    roots,
    selections,
    reportsMissing: spec.reportMissingObjectsInResults === true,
    rank,
    typePlan,
    selectionsAt,
  };
}

/** Fault: LimitExceeded. Looked at before any path is. */
export function requireFewPaths(specs: readonly PropertyFilterSpec[]): void {
  let paths = 0;
  for (const { propSet } of specs) for (const { pathSet = [] } of propSet) paths += pathSet.length;
  if (paths > MAX_PATHS) throw new MethodFault('LimitExceeded', { property: 'spec.propSet.pathSet', limit: MAX_PATHS });
}

/**
 * Several specs of one retrieval: an object is reported at most once, with the union of what all of them say about its
 * type, whichever of them selected it (as the documentation of PropertySpec has it).
 */
export function mergedTypePlan(plans: readonly FilterPlan[]): (type: string) => TypePlan | undefined {
  const [only] = plans;
  if (plans.length === 1 && only) return only.typePlan;
  return memoize((type) => {
    const matching = plans.map((plan) => plan.typePlan(type)).filter((plan) => plan !== undefined);
    return matching.length === 0 ? undefined : { type, paths: unique(matching.flatMap((plan) => plan.paths)) };
  });
}

type Properties = { readonly type: string; readonly all: boolean; readonly paths: readonly PathPlan[] };

function planProperties(set: PropertySpec, rank: number): Properties {
  requireManagedType(set.type, 'spec.propSet.type');
  const all = set.all === true;
  const paths = all ? [] : (set.pathSet ?? []).map((path) => requirePath(set.type, path, rank));
  return { type: set.type, all, paths };
}

function requireManagedType(type: string, argument: string): void {
  if (schema.managed(type) === undefined) throw new MethodFault('InvalidType', { argument });
}

function requirePath(type: string, path: string, rank: number): PathPlan {
  const plan = planPath(type, path, rank);
  if (plan === undefined) throw new MethodFault('InvalidProperty', { name: path });
  return plan;
}

function mergeTypePlan(type: string, sets: readonly Properties[], rank: number): TypePlan | undefined {
  const matching = sets.filter((set) => schema.isSubtype(type, set.type));
  if (matching.length === 0) return undefined;
  return { type, paths: unique(matching.flatMap((set) => (set.all ? allPaths(type, rank) : set.paths))) };
}

function allPaths(type: string, rank: number): PathPlan[] {
  const fields = schema.managed(type)?.fields ?? [];
  return fields.map((field) => planPath(type, field.name, rank)).filter((plan) => plan !== undefined);
}

function unique(paths: readonly PathPlan[]): PathPlan[] {
  return [...new Map(paths.map((plan) => [plan.path, plan])).values()];
}

type Draft = { -readonly [K in keyof SelectionPlan]: SelectionPlan[K] } & { readonly spec: TraversalSpec };

function planSelections(spec: PropertyFilterSpec, rank: number): Pick<FilterPlan, 'roots' | 'selections'> {
  const drafts = collectTraversals(spec, rank);
  // Names hold for the whole spec, also ahead of where they are given. Of equal names the first one counts.
  const byName = new Map<string, Draft>();
  for (const draft of drafts.values()) {
    if (draft.spec.name !== undefined && !byName.has(draft.spec.name)) byName.set(draft.spec.name, draft);
  }
  const resolve = (selection: SelectionSpec): Draft => {
    const draft = drafts.get(selection) ?? byName.get(selection.name ?? '');
    if (draft === undefined)
      throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.objectSet.selectSet.name' });
    return draft;
  };
  let links = 0;
  for (const draft of drafts.values()) {
    draft.next = [...new Set((draft.spec.selectSet ?? []).map(resolve))];
    links += draft.next.length;
    if (links > MAX_LINKS) throw tooMany(MAX_LINKS);
  }
  const roots = spec.objectSet.map((root) => ({
    ref: { type: root.obj.type, value: root.obj.value },
    skip: root.skip === true,
    next: [...new Set((root.selectSet ?? []).map(resolve))],
  }));
  const selections = [...drafts.values()];
  for (const selection of selections) selection.isRecursive = reaches(selection, selection);
  return { roots, selections };
}

/** Every TraversalSpec of the spec, however deep, in document order. */
function collectTraversals(spec: PropertyFilterSpec, rank: number): Map<SelectionSpec, Draft> {
  const drafts = new Map<SelectionSpec, Draft>();
  const pending: SelectionSpec[] = spec.objectSet.flatMap((root) => root.selectSet ?? []);
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (!isTraversal(next) || drafts.has(next)) continue;
    if (drafts.size === MAX_SELECTIONS) {
      throw tooMany(MAX_SELECTIONS);
    }
    drafts.set(next, draftSelection(next, rank));
    pending.push(...(next.selectSet ?? []));
  }
  return drafts;
}

function tooMany(limit: number): MethodFault {
  return new MethodFault('LimitExceeded', { property: 'spec.objectSet.selectSet', limit });
}

function isTraversal(selection: SelectionSpec): selection is TraversalSpec {
  return selection._typeName === 'TraversalSpec' || 'path' in selection;
}

function draftSelection(spec: TraversalSpec, rank: number): Draft {
  requireManagedType(spec.type, 'spec.objectSet.selectSet.type');
  const path = planPath(spec.type, spec.path, rank);
  if (path === undefined || path.type.kind !== 'managed') {
    throw new MethodFault('InvalidArgument', { invalidProperty: 'spec.objectSet.selectSet.path' });
  }
  return { spec, type: spec.type, path, skip: spec.skip === true, next: [], isRecursive: false };
}

function reaches(from: SelectionPlan, target: SelectionPlan): boolean {
  const seen = new Set<SelectionPlan>();
  const pending = [...from.next];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next === target) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    pending.push(...next.next);
  }
  return false;
}

function memoize<R>(compute: (type: string) => R): (type: string) => R {
  const known = new Map<string, R>();
  return (type) => {
    if (known.has(type)) return known.get(type) as R;
    const result = compute(type);
    // Only real types are worth keeping: references come from clients too.
    if (schema.managed(type) !== undefined) known.set(type, result);
    return result;
  };
}
