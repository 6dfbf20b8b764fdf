// Custom attributes: their definitions and their values on entities, kept in the store.
import { Mutex } from '@vivarium/base';
import { limits, type Op, type Store } from '@vivarium/store';
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

/** Entities whose values are written in one go, and bytes, unless one has more: a store does not take any number at once. */
const MOST_AT_ONCE = limits.operations / 4;
const BYTES_AT_ONCE = limits.bytes / 4;

type Values = Readonly<Record<number, string>>;

export class CustomFields {
  readonly #store: Store;
  readonly #definitions = new Map<number, CustomFieldDef>();
  readonly #values = new Map<string, Values>();
  /** By type; one list for all entities of it. */
  readonly #available = new Map<string, CustomFieldDef[]>();
  /** Entities with values on disk of fields that are gone: a daemon was killed while it removed one. */
  readonly #unclean = new Set<string>();
  /** No field gets a key that another one has had, whose values might be left. */
  #lastKey = 100;
  /** What an entity has is written whole: one change at a time, or one of two would be lost. */
  readonly #writing = new Mutex();

  constructor(store: Store, graph: ObjectGraph, manager: () => MoRef) {
    this.#store = store;
    this.#manager = manager;
    for (const { value } of store.range<CustomFieldDef>(DEFINITIONS)) this.#definitions.set(value.key, value);
    this.#lastKey = Math.max(this.#lastKey, ...this.#definitions.keys());
    for (const { key, value } of store.range<Values>(VALUES)) this.#learn(key.slice(VALUES.length), value);
    graph.onRemove(({ ref }) => this.#forget(ref));
  }

  readonly #manager: () => MoRef;

  list(): CustomFieldDef[] {
    return [...this.#definitions.values()];
  }

  /** Definitions that apply to a type of managed object. */
  availableFor(type: string): CustomFieldDef[] {
    let available = this.#available.get(type);
    if (!available) {
      available = this.list().filter(
        ({ managedObjectType }) => !managedObjectType || schema.isSubtype(type, managedObjectType),
      );
      this.#available.set(type, available);
    }
    return available;
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
      const key = this.#lastKey + 1;
      const definition = make('CustomFieldDef', { ...input, key, type: 'string' });
      await this.#store.batch([{ put: DEFINITIONS + key, value: definition }]);
      this.#lastKey = key;
      this.#define(key, definition);
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
      this.#define(key, definition);
      return former;
    });
  }

  /** Takes all values with it. Fault: InvalidArgument. Returns the entities that had one, as keys `Type:value`. */
  remove(key: number): Promise<string[]> {
    return this.#writing.run(async () => {
      this.definition(key);
      await this.#store.batch([{ delete: DEFINITIONS + key }]);
      this.#define(key, undefined);
      const holders = [...this.#values].filter(([, values]) => values[key] !== undefined);
      const left = holders.map(([entity, { [key]: _gone, ...rest }]) => ({ entity, rest: rest as Values }));
      for (const { entity, rest } of left) this.#values.set(entity, rest);
      // The field is gone. What is not written now means nothing, and goes at the next start.
      await this.#write(left).catch(() => undefined);
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

  /** Values of what is not in the graph go, and those of fields that are gone: a daemon was killed before it removed them. */
  async sweep(graph: Pick<ObjectGraph, 'find'>): Promise<void> {
    const isThere = (place: string) => {
      const colon = place.indexOf(':');
      return graph.find({ type: place.slice(0, colon), value: place.slice(colon + 1) } as MoRef) !== undefined;
    };
    const gone = [...this.#values.keys()].filter((place) => !isThere(place));
    for (const place of gone) this.#values.delete(place);
    await this.#write([...new Set([...gone, ...this.#unclean])].map((entity) => this.#entry(entity)));
    this.#unclean.clear();
  }

  #entry(entity: string): { readonly entity: string; readonly rest: Values } {
    return { entity, rest: this.#values.get(entity) ?? {} };
  }

  async #write(entries: readonly { readonly entity: string; readonly rest: Values }[]): Promise<void> {
    let ops: Op[] = [];
    let bytes = 0;
    for (const { entity, rest } of entries) {
      ops.push(Object.keys(rest).length > 0 ? { put: VALUES + entity, value: rest } : { delete: VALUES + entity });
      bytes += Buffer.byteLength(JSON.stringify(rest));
      if (ops.length < MOST_AT_ONCE && bytes < BYTES_AT_ONCE) continue;
      await this.#store.batch(ops);
      ops = [];
      bytes = 0;
    }
    if (ops.length > 0) await this.#store.batch(ops);
  }

  #define(key: number, definition: CustomFieldDef | undefined): void {
    if (definition) this.#definitions.set(key, definition);
    else this.#definitions.delete(key);
    this.#available.clear();
  }

  #learn(entity: string, values: Values): void {
    const keys = Object.keys(values).map(Number);
    this.#lastKey = Math.max(this.#lastKey, ...keys);
    if (keys.every((key) => this.#definitions.has(key))) this.#values.set(entity, values);
    else {
      this.#values.set(
        entity,
        Object.fromEntries(Object.entries(values).filter(([key]) => this.#definitions.has(Number(key)))),
      );
      this.#unclean.add(entity);
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
