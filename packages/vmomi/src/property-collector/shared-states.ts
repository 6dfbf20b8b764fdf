// Which filters have one state: those of equal specs, of clients of one version, of sessions of one user. A thousand clients that
// follow the same 10,000 VMs cost as much as one, and what each is told is made once.
import { type MoRef, type PropertyFilterSpec, type SelectionSpec, schema, type TraversalSpec } from '@vivarium/vim';
import type { Session } from '../session/session.ts';
import { userKey } from '../session/stand-ins.ts';
import type { FilterState } from './filter-state.ts';
import type { Viewer } from './viewer.ts';

export interface SharedSpec {
  /** Equal for filters that may share. */
  readonly key: string;
  /** With the twin in place of the session's view. */
  readonly spec: PropertyFilterSpec;
  /** The session's view that the twin stands for. */
  readonly view: PropertyFilterSpec['objectSet'][number]['obj'] | undefined;
}

/** More roots than that are objects that a client names one by one: hardly ever the same ones. */
const MOST_ROOTS = 16;

/**
 * How the filter can be shared; undefined when what it reports may depend on the session: when it looks at anything but the
 * inventory and tasks, or starts from a view and something else.
 */
export function sharedSpec(
  spec: PropertyFilterSpec,
  rank: number,
  session: Session,
  viewer: Viewer,
): SharedSpec | undefined {
  const { propSet, objectSet } = spec;
  if (objectSet.length > MOST_ROOTS || !propSet.every(({ type }) => isEverybodys(type))) return undefined;
  if (!objectSet.every(({ selectSet = [] }) => selectSet.every(staysInInventory))) return undefined;
  let shared = spec;
  let view: SharedSpec['view'];
  if (!objectSet.every(({ obj }) => isEverybodys(obj.type))) {
    const [root] = objectSet;
    const twin = root && viewer.find(root.obj)?.twin;
    if (!twin || objectSet.length > 1 || root.skip !== true) return undefined;
    shared = { ...spec, objectSet: [{ ...root, obj: twin }] };
    view = root.obj;
  }
  return { key: `${rank} ${userKey(session)} ${JSON.stringify(shared)}`, spec: shared, view };
}

function isEverybodys(type: string): boolean {
  return type === 'Task' || schema.isSubtype(type, 'ManagedEntity');
}

function staysInInventory(selection: SelectionSpec): boolean {
  const { type, path, selectSet = [] } = selection as Partial<TraversalSpec>;
  // A name: what it stands for is somewhere in the spec.
  if (path === undefined || type === undefined) return true;
  return (isEverybodys(type) || type === 'ContainerView') && selectSet.every(staysInInventory);
}

/** The states that are in use, the shared ones by key. */
export class SharedStates {
  readonly #all = new Set<FilterState>();
  readonly #shared = new Map<string, FilterState>();

  find(key: string): FilterState | undefined {
    return this.#shared.get(key);
  }

  /** Without a key it is nobody else's. `make` gets what the state has to call when it closes. */
  add(key: string | undefined, make: (closed: () => void) => FilterState): FilterState {
    const state = make(() => {
      this.#all.delete(state);
      if (key !== undefined) this.#shared.delete(key);
    });
    this.#all.add(state);
    if (key !== undefined) this.#shared.set(key, state);
    return state;
  }

  /** Whether one object may be seen may have changed. */
  reconsider(ref: MoRef): void {
    for (const state of this.#all) state.lookAgain(ref);
  }

  /** What may be seen has changed. */
  invalidate(): void {
    for (const state of this.#all) state.invalidate();
  }
}
