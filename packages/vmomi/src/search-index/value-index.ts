// Objects by the value of something about them: a map kept up to date from changes, made on first use.
import { type MoRef, moRefKey } from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { ChangeRouter, Interest, Watcher } from '../property-collector/change-router.ts';

/** What the index needs of the object graph. */
export interface ObjectSource {
  all(): Iterable<ManagedObject>;
  find(ref: MoRef): ManagedObject | undefined;
  onAdd(listener: (object: ManagedObject) => void): () => void;
}

export interface ValueIndexOptions {
  readonly source: ObjectSource;
  readonly router: ChangeRouter;
  /** Which objects are in it, by type. */
  readonly covers: (type: string) => boolean;
  /** The top-level properties that `keysOf` reads. */
  readonly properties: readonly string[];
  /** Under which keys an object is found. */
  readonly keysOf: (object: ManagedObject) => readonly string[];
}

interface Entry extends Watcher {
  keys: readonly string[];
}

export class ValueIndex {
  readonly #options: ValueIndexOptions;
  readonly #interest: Interest;
  /** Undefined until somebody searches: an index that nobody uses costs nothing. */
  #objects: Map<string, Set<ManagedObject>> | undefined;

  constructor(options: ValueIndexOptions) {
    this.#options = options;
    this.#interest = options.router.interest(options.properties);
  }

  /** The objects with this key, in no particular order. */
  find(key: string): readonly ManagedObject[] {
    this.#objects ??= this.#build();
    return [...(this.#objects.get(key) ?? [])];
  }

  #build(): Map<string, Set<ManagedObject>> {
    const { source, covers } = this.#options;
    const objects = new Map<string, Set<ManagedObject>>();
    this.#objects = objects;
    const cover = (object: ManagedObject) => {
      if (covers(object.ref.type)) this.#cover(object, objects);
    };
    for (const object of source.all()) cover(object);
    source.onAdd(cover);
    return objects;
  }

  #cover(object: ManagedObject, objects: Map<string, Set<ManagedObject>>): void {
    const { router, keysOf, source } = this.#options;
    const entry: Entry = {
      keys: [],
      changed: () => {
        const isThere = source.find(object.ref) === object;
        const keys = isThere ? keysOf(object) : [];
        replaceKeys(objects, object, entry.keys, keys);
        entry.keys = keys;
        if (!isThere) router.unwatch(object.ref, this.#interest, entry);
      },
    };
    router.watch(object.ref, this.#interest, entry);
    entry.changed(undefined);
  }
}

function replaceKeys(
  objects: Map<string, Set<ManagedObject>>,
  object: ManagedObject,
  before: readonly string[],
  after: readonly string[],
): void {
  for (const key of before) {
    const peers = objects.get(key);
    peers?.delete(object);
    if (peers?.size === 0) objects.delete(key);
  }
  for (const key of after) {
    const peers = objects.get(key);
    if (peers) peers.add(object);
    else objects.set(key, new Set([object]));
  }
}

/** A key from parts that may hold any character. */
export function joinKey(...parts: readonly string[]): string {
  return parts.join('\0');
}

/** The key of what is below a parent. */
export function childKey(parent: MoRef, name: string): string {
  return joinKey(moRefKey(parent), name);
}
