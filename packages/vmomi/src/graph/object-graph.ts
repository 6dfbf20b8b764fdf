// Owns every managed object of a daemon and tells the interested ones, and only those, what changed. Never looks into
// the values: what a property means is the business of the object's owner.
import { type Handlers, type ManagedTypes, MethodFault, type MoRef, moRefKey, type Properties } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { Change, ChangeListener } from './change.ts';
import { ManagedObject, type ObjectOptions } from './managed-object.ts';

/** Takes a listener away again; idempotent. */
export type Unsubscribe = () => void;

export class ObjectGraph {
  readonly #objects = new Map<string, ManagedObject>();
  readonly #byType = new Map<string, Set<ManagedObject>>();
  readonly #listeners = new Map<string, Set<ChangeListener>>();
  readonly #added = new Set<(object: ManagedObject) => void>();
  readonly #removed = new Set<(object: ManagedObject) => void>();
  #version = 0;

  /** Grows with every change of any object: the global order of changes. Starts at 0. */
  get version(): number {
    return this.#version;
  }

  /** Number of objects. */
  get size(): number {
    return this.#objects.size;
  }

  /**
   * Puts an object in. Its values, like all values set later, must never be mutated in place.
   */
  add<T extends keyof ManagedTypes>(
    ref: MoRef<T>,
    properties: Properties<T>,
    handlers: Handlers<T, Call> = {},
    options: ObjectOptions<T> = {},
  ): ManagedObject<T> {
    const key = moRefKey(ref);
    if (this.#objects.has(key)) throw new Error(`managed object ${key} is in the graph already`);
    const object: ManagedObject<T> = new ManagedObject<T>(ref, properties, handlers, options, (paths, before) =>
      this.#changed(object as ManagedObject, paths, before),
    );
    const plain = object as ManagedObject;
    this.#objects.set(key, plain);
    const peers = this.#byType.get(ref.type);
    if (peers) peers.add(plain);
    else this.#byType.set(ref.type, new Set([plain]));
    this.#version += 1;
    this.#tell(key, { kind: 'added', object: plain, version: this.#version });
    for (const listener of [...this.#added]) listener(plain);
    return object;
  }

  /** Takes an object out; no-op when it is not there. Later `set` calls on it change nothing. */
  remove(ref: MoRef): void {
    const key = moRefKey(ref);
    const object = this.#objects.get(key);
    if (!object) return;
    this.#objects.delete(key);
    const peers = this.#byType.get(ref.type);
    peers?.delete(object);
    if (peers?.size === 0) this.#byType.delete(ref.type);
    this.#version += 1;
    this.#tell(key, { kind: 'removed', object, version: this.#version });
    for (const listener of [...this.#removed]) listener(object);
  }

  /** Throws the fault ManagedObjectNotFound. */
  get<T extends keyof ManagedTypes>(ref: MoRef<T>): ManagedObject<T> {
    const object = this.find(ref);
    if (!object) throw new MethodFault('ManagedObjectNotFound', { obj: { type: ref.type, value: ref.value } });
    return object;
  }

  find<T extends keyof ManagedTypes>(ref: MoRef<T>): ManagedObject<T> | undefined {
    // The key holds the type, so what is found under it is of that type.
    return this.#objects.get(moRefKey(ref)) as ManagedObject<T> | undefined;
  }

  /** All objects of exactly this type, in the order they were added. Safe against changes while iterating. */
  ofType<T extends keyof ManagedTypes>(type: T): Iterable<ManagedObject<T>> {
    return [...(this.#byType.get(type) ?? [])] as unknown as ManagedObject<T>[];
  }

  /** Every object, in no particular order. */
  all(): Iterable<ManagedObject> {
    return [...this.#objects.values()];
  }

  /**
   * Hears of every change of one object, and of its coming and going (it need not exist yet). Listeners run inside the
   * change, so they only note it down; they must not throw.
   */
  subscribe(ref: MoRef, listener: ChangeListener): Unsubscribe {
    const key = moRefKey(ref);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    // A wrapper, so that the same function may be subscribed twice and taken away once.
    const own: ChangeListener = (change) => listener(change);
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
    };
  }

  /** Hears of every object that comes: for indexes over the whole graph. */
  onAdd(listener: (object: ManagedObject) => void): Unsubscribe {
    this.#added.add(listener);
    return () => void this.#added.delete(listener);
  }

  /** Hears of every object that goes. */
  onRemove(listener: (object: ManagedObject) => void): Unsubscribe {
    this.#removed.add(listener);
    return () => void this.#removed.delete(listener);
  }

  #changed(object: ManagedObject, paths: readonly string[], before: Readonly<Record<string, unknown>>): number {
    this.#version += 1;
    const version = this.#version;
    if (this.#objects.get(moRefKey(object.ref)) === object) {
      this.#tell(moRefKey(object.ref), { kind: 'modified', object, paths, before, version });
    }
    return version;
  }

  #tell(key: string, change: Change): void {
    const listeners = this.#listeners.get(key);
    if (listeners) for (const listener of [...listeners]) listener(change);
  }
}
