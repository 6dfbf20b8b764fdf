// For tests: what a filter must report right now, found the slow way: everything anew, straight from the spec's text.
import {
  type MoRef,
  moRefKey,
  type ObjectSpec,
  type PropertyFilterSpec,
  type SelectionSpec,
  schema,
  type TraversalSpec,
} from '@vivarium/vim';
import type { ManagedObject } from '../graph/managed-object.ts';
import { readPath } from '../graph/property-value.ts';
import type { ObjectCopy } from './test-client.ts';
import type { TestWorld } from './test-world.ts';

export class Oracle {
  readonly #world: TestWorld;

  constructor(world: TestWorld) {
    this.#world = world;
  }

  report(spec: PropertyFilterSpec): Map<string, ObjectCopy> {
    const reported = new Map<string, MoRef>();
    const definitions = spec.objectSet.flatMap((root) => definitionsIn(root.selectSet ?? []));
    for (const root of spec.objectSet) this.#walkRoot(root, definitions, reported);
    const copies = new Map<string, ObjectCopy>();
    for (const [key, ref] of reported) {
      const object = this.#find(ref);
      const sets = spec.propSet.filter((set) => schema.isSubtype(ref.type, set.type));
      if (!object || sets.length === 0) continue;
      copies.set(
        key,
        this.#copy(
          object,
          sets.flatMap((set) => set.pathSet ?? []),
        ),
      );
    }
    return copies;
  }

  #walkRoot(root: ObjectSpec, definitions: readonly TraversalSpec[], reported: Map<string, MoRef>): void {
    if (!this.#find(root.obj)) return;
    if (root.skip !== true) reported.set(moRefKey(root.obj), root.obj);
    const done = new Set<string>();
    const visit = (ref: MoRef, selections: readonly SelectionSpec[]): void => {
      const object = this.#find(ref);
      if (!object || !this.#sees(object)) return;
      for (const selection of selections) {
        const traversal = resolve(selection, definitions);
        const mark = `${definitions.indexOf(traversal)} ${moRefKey(ref)}`;
        if (done.has(mark) || !schema.isSubtype(ref.type, traversal.type)) continue;
        done.add(mark);
        for (const target of this.#targets(object, traversal.path)) {
          const there = this.#find(target);
          if (!there || !this.#sees(there)) continue;
          if (traversal.skip !== true) reported.set(moRefKey(target), target);
          visit(target, traversal.selectSet ?? []);
        }
      }
    };
    visit(root.obj, root.selectSet ?? []);
  }

  #targets(object: ManagedObject, path: string): MoRef[] {
    if (!this.#mayRead(object, path)) return [];
    const value = this.read(object, path);
    return value === undefined ? [] : Array.isArray(value) ? (value as MoRef[]) : [value as MoRef];
  }

  #copy(object: ManagedObject, paths: readonly string[]): ObjectCopy {
    const copy: ObjectCopy = { values: {}, missing: {} };
    for (const path of paths) {
      const value = this.read(object, path);
      if (!this.#mayRead(object, path)) copy.missing[path] = 'NoPermission';
      else if (value !== undefined) copy.values[path] = value;
    }
    return copy;
  }

  read(object: ManagedObject, path: string): unknown {
    if (object.ref.type === 'ContainerView' && path === 'view')
      return this.#contents(object as ManagedObject<'ContainerView'>);
    return readPath(Object.fromEntries(object.propertyNames().map((name) => [name, object.get(name as never)])), path);
  }

  /** What a recursive ContainerView must list: folders' children, and theirs. */
  #contents(view: ManagedObject<'ContainerView'>): MoRef[] {
    const found = new Map<string, MoRef>();
    const types = view.get('type') ?? [];
    const enter = (ref: MoRef): void => {
      const container = this.#find(ref);
      if (!container || !this.#sees(container) || ref.type !== 'Folder') return;
      for (const child of (container.getPath('childEntity') ?? []) as MoRef[]) {
        const there = this.#find(child);
        if (!there || !this.#sees(there) || found.has(moRefKey(child))) continue;
        found.set(moRefKey(child), child);
        if (view.get('recursive') === true) enter(child);
      }
    };
    enter(view.get('container') as MoRef);
    return [...found.values()].filter(
      (ref) => types.length === 0 || types.some((type) => schema.isSubtype(ref.type, type)),
    );
  }

  #find(ref: MoRef): ManagedObject | undefined {
    return this.#world.graph.find(ref);
  }

  #sees(object: ManagedObject): boolean {
    return this.#world.authorization.holds(this.#world.user.session, object, 'System.View');
  }

  #mayRead(object: ManagedObject, path: string): boolean {
    const field = schema.field(object.ref.type, path.split(/[.[]/)[0] ?? '');
    return this.#world.authorization.holds(this.#world.user.session, object, field?.privilege ?? 'System.Read');
  }
}

function definitionsIn(selections: readonly SelectionSpec[]): TraversalSpec[] {
  return selections.flatMap((selection) => {
    if (!('path' in selection)) return [];
    const traversal = selection as TraversalSpec;
    return [traversal, ...definitionsIn(traversal.selectSet ?? [])];
  });
}

function resolve(selection: SelectionSpec, definitions: readonly TraversalSpec[]): TraversalSpec {
  const found =
    'path' in selection
      ? (selection as TraversalSpec)
      : definitions.find((definition) => definition.name === selection.name);
  if (!found) throw new Error(`no selection ${selection.name}`);
  return found;
}
