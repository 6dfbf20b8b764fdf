// The live list of an InventoryView: the root folder and what is below the folders that the client has opened.
import { isRef, type MoRef, moRefKey } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ChangeRouter, Interest, Watcher } from '../property-collector/change-router.ts';
import type { Viewer } from '../property-collector/viewer.ts';
import { CHILD_PROPERTIES, containerTypeOf } from './container-plan.ts';

export interface InventoryWatchOptions {
  readonly root: MoRef;
  readonly viewer: Viewer;
  readonly router: ChangeRouter;
  /** The list may have changed; called once until it is read again. Inside a change: only note it. */
  readonly onDirty: () => void;
}

/** A Datacenter or ComputeResource that comes into view brings these along, unasked. */
const IMPLICIT = { Datacenter: ['vmFolder', 'hostFolder'], ComputeResource: ['resourcePool', 'host'] } as const;

/** Deeper than any inventory: guards against a parent cycle. */
const MAX_DEPTH = 64;

export class InventoryWatch {
  readonly #options: InventoryWatchOptions;
  readonly #interest: Interest;
  readonly #watcher: Watcher = { changed: () => this.#noteDirty() };
  readonly #watched = new Map<string, MoRef>();
  readonly #open = new Set<string>();
  #list: readonly MoRef[] | undefined;

  constructor(options: InventoryWatchOptions) {
    this.#options = options;
    this.#interest = options.router.interest(Object.values(CHILD_PROPERTIES).flat());
  }

  /** The objects in view, top down; the same array as long as nothing changes. */
  get list(): readonly MoRef[] {
    return (this.#list ??= this.#walk());
  }

  /** Opens an entity, and what is above it as far as it is closed. Returns false when it is not there (for us). */
  open(entity: MoRef): boolean {
    const path = this.#pathTo(entity);
    if (!path) return false;
    for (const ref of path) this.#open.add(moRefKey(ref));
    this.#noteDirty();
    return true;
  }

  /** Closes entities and everything below them; they stay in view themselves. Returns those that are not there. */
  close<T extends MoRef>(entities: readonly T[]): T[] {
    const closed = new Set(entities.filter((entity) => this.#find(entity)).map(moRefKey));
    // Once for all of them: a client may close as many as it has opened.
    for (const key of [...this.#open]) {
      const ref = this.#watched.get(key);
      if (closed.has(key) || (ref && this.#pathTo(ref)?.some((above) => closed.has(moRefKey(above)))))
        this.#open.delete(key);
    }
    this.#noteDirty();
    return entities.filter((entity) => !closed.has(moRefKey(entity)));
  }

  dispose(): void {
    for (const ref of this.#watched.values()) this.#options.router.unwatch(ref, this.#interest, this.#watcher);
    this.#watched.clear();
  }

  /** What the session may see, or what exists, has changed. */
  invalidate(): void {
    this.#noteDirty();
  }

  #noteDirty(): void {
    if (this.#list === undefined) return;
    this.#list = undefined;
    this.#options.onDirty();
  }

  #walk(): MoRef[] {
    const met = new Map<string, MoRef>();
    const seen: MoRef[] = [];
    const pending: MoRef[] = [this.#options.root];
    // Grows while it is walked.
    for (const ref of pending) {
      const key = moRefKey(ref);
      if (met.has(key)) continue;
      met.set(key, ref);
      const object = this.#find(ref);
      if (!object) continue;
      seen.push(ref);
      pending.push(...childrenOf(object, this.#shownProperties(object, key)));
    }
    this.#watchOnly(met);
    return seen;
  }

  #shownProperties(object: ManagedObject, key: string): readonly string[] {
    const type = containerTypeOf(object.ref.type);
    if (!type) return [];
    if (this.#open.has(key)) return CHILD_PROPERTIES[type];
    return type === 'Datacenter' || type === 'ComputeResource' ? IMPLICIT[type] : [];
  }

  /** Also what is not there (yet): it may come. */
  #watchOnly(met: ReadonlyMap<string, MoRef>): void {
    const { router } = this.#options;
    for (const [key, ref] of this.#watched) {
      if (met.has(key)) continue;
      router.unwatch(ref, this.#interest, this.#watcher);
      this.#watched.delete(key);
    }
    for (const [key, ref] of met) {
      if (this.#watched.has(key)) continue;
      router.watch(ref, this.#interest, this.#watcher);
      this.#watched.set(key, ref);
    }
  }

  /** From the root down to the entity; undefined when it hangs nowhere below the root. */
  #pathTo(entity: MoRef): MoRef[] | undefined {
    const path: MoRef[] = [];
    let object = this.#find(entity);
    while (object && path.length < MAX_DEPTH) {
      path.unshift(object.ref);
      if (moRefKey(object.ref) === moRefKey(this.#options.root)) return path;
      const above = (object.getPath('parent') ?? object.getPath('parentVApp')) as MoRef | undefined;
      object = above && this.#find(above);
    }
    return undefined;
  }

  #find(ref: MoRef): ManagedObject | undefined {
    const object = this.#options.viewer.find(ref);
    return object && isRef('ManagedEntity', ref) && this.#options.viewer.sees(object) ? object : undefined;
  }
}

function childrenOf(object: ManagedObject, properties: readonly string[]): MoRef[] {
  return properties.flatMap((property) => (object.getPath(property) ?? []) as MoRef | MoRef[]);
}
