// One-time retrievals: everything is read at once, so that all pages of an answer show the same moment; pages that
// were not fetched yet are kept under a token, for the session and collector that it was given to.
import { MethodFault, type ObjectContent, type PropertyFilterSpec, type RetrieveResult } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import { type FilterPlan, mergedTypePlan, planFilter, requireFewPaths } from './filter-plan.ts';
import { selectObjects } from './selection.ts';
import type { Answers } from './update-set.ts';
import type { Viewer } from './viewer.ts';

/**
 * What the specs select and the viewer sees, each object once.
 * Faults: those of planFilter; ManagedObjectNotFound for a missing root, unless its spec says to leave it out.
 */
export function retrieve(
  specSet: readonly PropertyFilterSpec[],
  viewer: Viewer,
  rank: number,
  answers: Answers,
): ObjectContent[] {
  requireFewPaths(specSet);
  const plans = specSet.map((spec) => planFilter(spec, rank));
  for (const plan of plans) requireRoots(plan, viewer);
  const found = new Set<ManagedObject>();
  for (const plan of plans) selectObjects(plan, viewer, found);
  const typePlan = mergedTypePlan(plans);
  const makers = new Map<string, ((object: ManagedObject) => ObjectContent) | undefined>();
  const makerOf = (type: string) => {
    const paths = typePlan(type)?.paths;
    const content = paths && answers.objectContents(found.size, paths, rank);
    return content && ((object: ManagedObject) => content(object.ref, viewer.readAll(object, paths)));
  };
  const contents: ObjectContent[] = [];
  for (const object of found) {
    const { type } = object.ref;
    if (!makers.has(type)) makers.set(type, makerOf(type));
    const content = makers.get(type)?.(object);
    if (content) contents.push(content);
  }
  return contents;
}

/** Fault: ManagedObjectNotFound, unless the filter reports what is missing. */
export function requireRoots(plan: FilterPlan, viewer: Viewer): void {
  if (plan.reportsMissing) return;
  const missing = plan.roots.find((root) => !viewer.find(root.ref));
  if (missing) throw new MethodFault('ManagedObjectNotFound', { obj: missing.ref });
}

/** Retrievals under way at once in one collector of a session; the oldest gives way. */
const MAX_OPEN = 64;

interface Rest {
  readonly objects: readonly ObjectContent[];
  /** How many of them were told already. */
  readonly told: number;
  readonly pageSize: number;
}

export class Retrievals {
  readonly #open = new Map<string, Rest>();
  #count = 0;

  /** How many objects are kept for pages that nobody has fetched yet. */
  get kept(): number {
    let kept = 0;
    for (const { objects } of this.#open.values()) kept += objects.length;
    return kept;
  }

  /** What is under way cannot be continued. */
  forget(): void {
    this.#open.clear();
  }

  /** The first page; undefined when nothing was found. */
  start(objects: ObjectContent[], pageSize: number): RetrieveResult | undefined {
    return objects.length === 0 ? undefined : this.#page({ objects, told: 0, pageSize });
  }

  /** Fault: InvalidArgument, when the token is not the one of a page that has more behind it. */
  continue(token: string): RetrieveResult {
    return this.#page(this.#take(token));
  }

  /** Fault: as continue. */
  cancel(token: string): void {
    this.#take(token);
  }

  #take(token: string): Rest {
    const rest = this.#open.get(token);
    if (!rest) throw new MethodFault('InvalidArgument', { invalidProperty: 'token' });
    this.#open.delete(token);
    return rest;
  }

  #page({ objects, told, pageSize }: Rest): RetrieveResult {
    const end = told + pageSize;
    const page = objects.slice(told, end);
    if (objects.length <= end) return { objects: page };
    const token = String(++this.#count);
    this.#open.set(token, { objects, told: end, pageSize });
    if (this.#open.size > MAX_OPEN) this.#open.delete(this.#open.keys().next().value ?? token);
    return { token, objects: page };
  }
}
