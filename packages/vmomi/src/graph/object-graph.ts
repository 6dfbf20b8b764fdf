// Owns every managed object of a daemon and tells the interested ones, and only those, what changed. Never looks into
// the values: what a property means is the business of the object's owner.
import {
  type Handlers,
  type ManagedTypeName,
  type ManagedTypes,
  MethodFault,
  type MoRef,
  moRefKey,
  type Properties,
} from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { Change, ChangeListener } from './change.ts';
import { ManagedObject, type ObjectOptions, type ObjectOwner } from './managed-object.ts';
import { RefMap } from './ref-map.ts';
import { type Defaults, DefaultsByType } from './type-defaults.ts';

/** Takes a listener away again; idempotent. */
export type Unsubscribe = () => void;

const NO_OPTIONS = {};

export class ObjectGraph {
  readonly #objects = new RefMap<ManagedObject>();
  readonly #listeners = new RefMap<Set<ChangeListener>>();
  readonly #changed = new Set<ChangeListener>();
  readonly #added = new Set<(object: ManagedObject) => void>();
  readonly #removed = new Set<(object: ManagedObject) => void>();
  readonly #defaults = new DefaultsByType();
  readonly #owner: ObjectOwner = { changed: (object, paths, before) => this.#noteChange(object, paths, before) };
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
    options: ObjectOptions<T> = NO_OPTIONS,
  ): ManagedObject<T> {
    if (this.#objects.get(ref)) throw new Error(`managed object ${moRefKey(ref)} is in the graph already`);
    const object = new ManagedObject<T>(ref, properties, handlers, options, this.#owner, this.#defaults.of(ref.type));
    const plain = object as unknown as ManagedObject;
    this.#objects.set(plain.ref, plain);
    this.#version += 1;
    this.#tell({ kind: 'added', object: plain, version: this.#version });
    for (const listener of [...this.#added]) listener(plain);
    return object;
  }

  /** What all objects of a type and of those derived from it have, unless their own makers say otherwise. */
  provide<T extends ManagedTypeName>(type: T, defaults: Defaults<T>): void {
    this.#defaults.provide(type, defaults);
  }

  /** Takes an object out; no-op when it is not there. Later `set` calls on it change nothing. */
  remove(ref: MoRef): void {
    const object = this.#objects.get(ref);
    if (!object) return;
    this.#objects.delete(ref);
    this.#version += 1;
    this.#tell({ kind: 'removed', object, version: this.#version });
    for (const listener of [...this.#removed]) listener(object);
  }

  /** Throws the fault ManagedObjectNotFound. */
  get<T extends keyof ManagedTypes>(ref: MoRef<T>): ManagedObject<T> {
    const object = this.find(ref);
    if (!object) throw new MethodFault('ManagedObjectNotFound', { obj: { type: ref.type, value: ref.value } });
    return object;
  }

  find<T extends keyof ManagedTypes>(ref: MoRef<T>): ManagedObject<T> | undefined {
    // What is found under a type is of that type.
    return this.#objects.get(ref) as unknown as ManagedObject<T> | undefined;
  }

  /** All objects of exactly this type, in the order they were added. Safe against changes while iterating. */
  ofType<T extends keyof ManagedTypes>(type: T): Iterable<ManagedObject<T>> {
    return this.#objects.ofType(type) as unknown as ManagedObject<T>[];
  }

  /** Every object, in no particular order. */
  all(): Iterable<ManagedObject> {
    return this.#objects.values();
  }

  /**
   * Hears of every change of one object, and of its coming and going (it need not exist yet). Listeners run inside the
   * change, so they only note it down; they must not throw.
   */
  subscribe(ref: MoRef, listener: ChangeListener): Unsubscribe {
    let listeners = this.#listeners.get(ref);
    if (!listeners) this.#listeners.set(ref, (listeners = new Set()));
    const all = listeners;
    // A wrapper, so that the same function may be subscribed twice and taken away once.
    const own: ChangeListener = (change) => listener(change);
    all.add(own);
    return () => {
      all.delete(own);
      if (all.size === 0 && this.#listeners.get(ref) === all) this.#listeners.delete(ref);
    };
  }

  /** As subscribe, for all objects: for those who keep track of many. */
  onChange(listener: ChangeListener): Unsubscribe {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
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

  #noteChange(object: ManagedObject, paths: readonly string[], before: Readonly<Record<string, unknown>>): number {
    this.#version += 1;
    const version = this.#version;
    if (this.#objects.get(object.ref) === object) this.#tell({ kind: 'modified', object, paths, before, version });
    return version;
  }

  #tell(change: Change): void {
    const listeners = this.#listeners.get(change.object.ref);
    if (listeners) for (const listener of [...listeners]) listener(change);
    for (const listener of this.#changed) listener(change);
  }
}
