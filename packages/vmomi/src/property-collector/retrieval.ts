// One-time retrievals: everything is read at once, so that all pages of an answer show the same moment; pages that
// were not fetched yet are kept under a token, for the session and collector that it was given to.
import { MethodFault, type PropertyFilterSpec, type RetrieveResult } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import { type FilterPlan, mergedTypePlan, planFilter } from './filter-plan.ts';
import { selectObjects } from './selection.ts';
import type { Answers, Reading } from './update-set.ts';
import type { Viewer } from './viewer.ts';

/**
 * What the specs select and the viewer sees, each object once.
 * Faults: those of planFilter; ManagedObjectNotFound for a missing root, unless its spec says to leave it out.
 */
export function retrieve(specSet: readonly PropertyFilterSpec[], viewer: Viewer, rank: number): Reading[] {
  const plans = specSet.map((spec) => planFilter(spec, rank));
  for (const plan of plans) requireRoots(plan, viewer);
  const found = new Set<ManagedObject>();
  for (const plan of plans) selectObjects(plan, viewer, found);
  const typePlan = mergedTypePlan(plans);
  const readings: Reading[] = [];
  for (const object of found) {
    const paths = typePlan(object.ref.type)?.paths;
    if (paths) readings.push({ ref: object.ref, paths, values: viewer.readAll(object, paths) });
  }
  return readings;
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
  readonly readings: readonly Reading[];
  readonly pageSize: number;
}

export class Retrievals {
  readonly #answers: Answers;
  readonly #open = new Map<string, Rest>();
  #count = 0;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /** The first page; undefined when nothing was found. */
  start(readings: readonly Reading[], pageSize: number): RetrieveResult | undefined {
    return readings.length === 0 ? undefined : this.#page({ readings, pageSize });
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

  #page({ readings, pageSize }: Rest): RetrieveResult {
    const objects = readings.slice(0, pageSize).map((reading) => this.#answers.objectContent(reading));
    if (readings.length <= pageSize) return { objects };
    const token = String(++this.#count);
    this.#open.set(token, { readings: readings.slice(pageSize), pageSize });
    if (this.#open.size > MAX_OPEN) this.#open.delete(this.#open.keys().next().value ?? token);
    return { token, objects };
  }
}
