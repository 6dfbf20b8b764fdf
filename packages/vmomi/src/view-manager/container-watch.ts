// The live list of a ContainerView: follows the inventory by differences, and only when somebody reads it. Until then a
// change costs one entry in a set.
import { type MoRef, moRefKey, schema } from '@vivarium/vim';
import type { ChangeRouter, Interest, Watcher } from '../property-collector/change-router.ts';
import type { FilterPlan } from '../property-collector/filter-plan.ts';
import { Membership, type Visit } from '../property-collector/membership.ts';
import { followSelection } from '../property-collector/selection.ts';
import type { Viewer } from '../property-collector/viewer.ts';

export interface ContainerWatchOptions {
  readonly plan: FilterPlan;
  /** Only these and what derives from them; all when empty. */
  readonly types: readonly string[];
  readonly viewer: Viewer;
  readonly router: ChangeRouter;
  /** The list may have changed; called once until it is read again. Inside a change: only note it. */
  readonly onDirty: () => void;
}

type Node = Watcher & { readonly interest: Interest };

export class ContainerWatch {
  readonly #options: ContainerWatchOptions;
  readonly #matches = new Map<string, boolean>();
  #membership: Membership<Node>;
  #included = new Map<string, MoRef>();
  #list: readonly MoRef[] | undefined;
  /** Visits whose children, or whose existence, may have changed. */
  #dirty = new Set<Visit<Node>>();
  #isTold = false;

  constructor(options: ContainerWatchOptions) {
    this.#options = options;
    this.#membership = this.#start();
  }

  /** The objects, in the order they came; the same array as long as nothing changes. */
  get list(): readonly MoRef[] {
    this.#isTold = false;
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const visit of dirty) this.#membership.refresh(visit);
    for (const visit of this.#membership.settle()) dirty.add(visit);
    for (const visit of dirty) this.#reconsider(visit);
    this.#list ??= [...this.#included.values()];
    return this.#list;
  }

  /** An object was added to the graph or removed from it. */
  existenceChanged(ref: MoRef): void {
    const visit = this.#membership.visits.get(moRefKey(ref));
    if (visit) this.#noteDirty(visit);
  }

  /** What the session may see has changed. */
  invalidate(): void {
    this.close();
    this.#membership = this.#start();
    this.#included = new Map();
    this.#list = undefined;
    this.#tell();
  }

  close(): void {
    for (const visit of this.#membership.visits.values()) this.#unwatch(visit);
    this.#dirty.clear();
  }

  #start(): Membership<Node> {
    const { plan, viewer } = this.#options;
    const membership = new Membership<Node>({
      selectionsAt: plan.selectionsAt,
      targets: (from, selection) => {
        const object = viewer.find(from);
        return object && viewer.sees(object) ? followSelection(viewer, object, selection) : [];
      },
      visited: (visit) => this.#watch(visit),
      forgotten: (visit) => this.#unwatch(visit),
    });
    for (const root of plan.roots) membership.addRoot(root);
    return membership;
  }

  /** Most objects contain nothing: of those only their coming and going matters. */
  #watch(visit: Visit<Node>): void {
    const { plan, router } = this.#options;
    const selections = plan.selectionsAt(visit.ref.type);
    if (selections.length === 0) return;
    const interest = router.interest(selections.map((selection) => selection.path.property));
    visit.state = {
      interest,
      // Without names it came or went: existenceChanged hears of that for all objects.
      changed: (properties) => (properties ? this.#noteDirty(visit) : undefined),
    };
    router.watch(visit.ref, interest, visit.state);
  }

  #unwatch(visit: Visit<Node>): void {
    if (visit.state) this.#options.router.unwatch(visit.ref, visit.state.interest, visit.state);
    visit.state = undefined;
  }

  #noteDirty(visit: Visit<Node>): void {
    this.#dirty.add(visit);
    this.#tell();
  }

  #tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#options.onDirty();
  }

  #reconsider(visit: Visit<Node>): void {
    const isIncluded = visit.reports > 0 && this.#isWanted(visit.ref);
    if (isIncluded === this.#included.has(visit.key)) return;
    if (isIncluded) this.#included.set(visit.key, visit.ref);
    else this.#included.delete(visit.key);
    this.#list = undefined;
  }

  #isWanted(ref: MoRef): boolean {
    const object = this.#matchesType(ref.type) ? this.#options.viewer.find(ref) : undefined;
    return object !== undefined && this.#options.viewer.sees(object);
  }

  #matchesType(type: string): boolean {
    const { types } = this.#options;
    let matches = this.#matches.get(type);
    if (matches === undefined) {
      matches = types.length === 0 || types.some((wanted) => schema.isSubtype(type, wanted));
      this.#matches.set(type, matches);
    }
    return matches;
  }
}
