// Custom attributes: their definitions and their values on entities, kept in the store.
import { Mutex } from '@vivarium/base';
import type { Op, Store } from '@vivarium/store';
import {
  type CustomFieldDef,
  type CustomFieldStringValue,
  MethodFault,
  type MoRef,
  make,
  moRefKey,
  schema,
} from '@vivarium/vim';
import type { ObjectGraph } from '../graph/object-graph.ts';

const DEFINITIONS = 'custom-field/definition/';
const VALUES = 'custom-field/value/';

type Values = Readonly<Record<number, string>>;

export class CustomFields {
  readonly #store: Store;
  readonly #definitions = new Map<number, CustomFieldDef>();
  readonly #values = new Map<string, Values>();
  /** What an entity has is written whole: one change at a time, or one of two would be lost. */
  readonly #writing = new Mutex();

  constructor(store: Store, graph: ObjectGraph, manager: () => MoRef) {
    this.#store = store;
    this.#manager = manager;
    for (const { value } of store.range<CustomFieldDef>(DEFINITIONS)) this.#definitions.set(value.key, value);
    for (const { key, value } of store.range<Values>(VALUES)) this.#values.set(key.slice(VALUES.length), value);
    graph.onRemove(({ ref }) => this.#forget(ref));
  }

  readonly #manager: () => MoRef;

  list(): CustomFieldDef[] {
    return [...this.#definitions.values()];
  }

  /** Definitions that apply to a type of managed object. */
  availableFor(type: string): CustomFieldDef[] {
    return this.list().filter(
      ({ managedObjectType }) => !managedObjectType || schema.isSubtype(type, managedObjectType),
    );
  }

  /** What an entity has set, as ManagedEntity.customValue. */
  valuesOf(entity: MoRef): CustomFieldStringValue[] {
    const values = Object.entries(this.#values.get(moRefKey(entity)) ?? {});
    return values.map(([key, value]) => make('CustomFieldStringValue', { key: Number(key), value }));
  }

  /** Faults: DuplicateName, InvalidArgument. */
  define(input: Omit<CustomFieldDef, 'key' | 'type'>): Promise<CustomFieldDef> {
    return this.#writing.run(async () => {
      this.#requireFreeName(input.name);
      if (input.managedObjectType && !schema.managed(input.managedObjectType)) {
        throw new MethodFault('InvalidArgument', { invalidProperty: 'moType' });
      }
      const key = Math.max(100, ...this.#definitions.keys()) + 1;
      const definition = make('CustomFieldDef', { ...input, key, type: 'string' });
      await this.#store.batch([{ put: DEFINITIONS + key, value: definition }]);
      this.#definitions.set(key, definition);
      return definition;
    });
  }

  /** Faults: InvalidArgument, DuplicateName. Returns the former definition. */
  rename(key: number, name: string): Promise<CustomFieldDef> {
    return this.#writing.run(async () => {
      const former = this.definition(key);
      if (former.name !== name) this.#requireFreeName(name);
      const definition = { ...former, name };
      await this.#store.batch([{ put: DEFINITIONS + key, value: definition }]);
      this.#definitions.set(key, definition);
      return former;
    });
  }

  /** Takes all values with it. Fault: InvalidArgument. Returns the entities that had one, as keys `Type:value`. */
  remove(key: number): Promise<string[]> {
    return this.#writing.run(async () => {
      this.definition(key);
      const holders = [...this.#values].filter(([, values]) => values[key] !== undefined);
      const left = holders.map(([entity, { [key]: _gone, ...rest }]) => ({ entity, rest: rest as Values }));
      await this.#store.batch([
        { delete: DEFINITIONS + key },
        ...left.map(({ entity, rest }): Op => ({ put: VALUES + entity, value: rest })),
      ]);
      this.#definitions.delete(key);
      for (const { entity, rest } of left) this.#values.set(entity, rest);
      return left.map(({ entity }) => entity);
    });
  }

  /** Fault: InvalidArgument when the field does not apply to the entity. Returns its definition. */
  set(entity: MoRef, key: number, value: string): Promise<CustomFieldDef> {
    return this.#writing.run(async () => {
      const definition = this.availableFor(entity.type).find((one) => one.key === key);
      if (!definition) throw new MethodFault('InvalidArgument', { invalidProperty: 'key' });
      const place = moRefKey(entity);
      const values = { ...this.#values.get(place), [key]: value };
      await this.#store.batch([{ put: VALUES + place, value: values }]);
      this.#values.set(place, values);
      return definition;
    });
  }

  /** Fault: InvalidArgument. */
  definition(key: number): CustomFieldDef {
    const definition = this.#definitions.get(key);
    if (!definition) throw new MethodFault('InvalidArgument', { invalidProperty: 'key' });
    return definition;
  }

  #requireFreeName(name: string): void {
    if (name.trim() === '') throw new MethodFault('InvalidArgument', { invalidProperty: 'name' });
    if (this.list().some((definition) => definition.name === name)) {
      throw new MethodFault('DuplicateName', { name, object: this.#manager() });
    }
  }

  /** Values of what is not in the graph go: it was removed by a daemon that was killed before they were. */
  async sweep(graph: Pick<ObjectGraph, 'find'>): Promise<void> {
    const gone = [...this.#values.keys()].filter((place) => {
      const colon = place.indexOf(':');
      return !graph.find({ type: place.slice(0, colon), value: place.slice(colon + 1) } as MoRef);
    });
    for (const place of gone) {
      await this.#store.batch([{ delete: VALUES + place }]);
      this.#values.delete(place);
    }
  }

  /** Values go with their entity. */
  #forget(entity: MoRef): void {
    const place = moRefKey(entity);
    if (!this.#values.delete(place)) return;
    // Nobody waits for it: should it fail, the values name an entity that no longer exists and mean nothing.
    this.#store.batch([{ delete: VALUES + place }]).catch(() => undefined);
  }
}
