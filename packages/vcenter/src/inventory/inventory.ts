// The tree of entities as vCenter keeps it: records in the store, an index of them in memory, and those who want to know of
// changes. Owns which entities there are, what they are called and where they are; knows nothing of hosts' reports.
import { Mutex } from '@vivarium/base';
import type { Op, Store } from '@vivarium/store';
import { type ManagedObjectReference, MethodFault, type MoRef, moRef, moRefKey } from '@vivarium/vim';
import { plainName } from './entity-name.ts';
import { ENTITY_TYPES, type EntityRecord, type EntityRef, type EntityType, ID_PREFIXES } from './entity-records.ts';
import { inBatches } from './in-batches.ts';

const RECORDS = 'inventory/entity/';
const LAST_NUMBER = 'inventory/last-number';
/** The root folder's parent. */
export const NOWHERE: MoRef<'Folder'> = moRef('Folder', '');

export type InventoryOp =
  | { readonly [T in EntityType]: { readonly put: MoRef<T>; readonly record: EntityRecord<T> } }[EntityType]
  | { readonly remove: EntityRef };

export interface InventoryStep {
  readonly ops: readonly InventoryOp[];
  /** Of the store: they go with it. */
  readonly more?: readonly Op[];
}

/** What listeners hear, after it is on disk. */
export interface InventoryChange<T extends EntityType = EntityType> {
  readonly ref: MoRef<T>;
  readonly before: EntityRecord<T> | undefined;
  readonly after: EntityRecord<T> | undefined;
}

type Listener = (change: InventoryChange) => void;

export class Inventory {
  readonly #store: Store;
  readonly #records = new Map<string, { readonly ref: EntityRef; readonly record: EntityRecord }>();
  /** Type → keys. */
  readonly #byType = new Map<EntityType, Set<string>>(ENTITY_TYPES.map((type) => [type, new Set()]));
  /** Parent → name without escapes → child. Names are unique among a parent's children. */
  readonly #children = new Map<string, Map<string, EntityRef>>();
  readonly #listeners = new Set<Listener>();
  readonly #changing = new Mutex();
  /** Parent → names that hosts are about to take. */
  readonly #promised = new Map<string, Set<string>>();
  #complete: (ops: readonly InventoryOp[]) => readonly InventoryOp[] = (ops) => ops;
  #lastNumber: number;

  constructor(store: Store) {
    this.#store = store;
    this.#lastNumber = store.get<number>(LAST_NUMBER)?.value ?? 0;
    for (const { key, value } of store.range<EntityRecord>(RECORDS)) {
      const [type = '', id = ''] = key.slice(RECORDS.length).split(':');
      this.#index(moRef(type as EntityType, id) as EntityRef, value);
    }
  }

  /** Whether there is nothing yet: the first start. */
  get isEmpty(): boolean {
    return this.#records.size === 0;
  }

  /** Numbers up to this one are in references that were given elsewhere. */
  skipNumbers(last: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, last);
  }

  /** A reference that was never used before; kept with the next change. */
  newRef<T extends EntityType>(type: T, prefix: string = ID_PREFIXES[type]): MoRef<T> {
    this.#lastNumber += 1;
    return moRef(type, `${prefix}${this.#lastNumber}`);
  }

  find<T extends EntityType>(ref: MoRef<T>): EntityRecord<T> | undefined {
    return this.#records.get(moRefKey(ref))?.record as EntityRecord<T> | undefined;
  }

  /** Fault: ManagedObjectNotFound. */
  get<T extends EntityType>(ref: MoRef<T>): EntityRecord<T> {
    const record = this.find(ref);
    if (!record) throw new MethodFault('ManagedObjectNotFound', { obj: { type: ref.type, value: ref.value } as MoRef });
    return record;
  }

  /** Parent of any entity, by the records. */
  parentOf(ref: ManagedObjectReference): MoRef | undefined {
    const parent = this.#records.get(moRefKey(ref))?.record.parent;
    return parent?.value === NOWHERE.value ? undefined : parent;
  }

  /** The nearest entity of one of these types at or above `ref`. */
  above<T extends EntityType>(ref: ManagedObjectReference, ...types: readonly T[]): EntityRef<T> | undefined {
    for (let at: ManagedObjectReference | undefined = ref; at; at = this.parentOf(at)) {
      if ((types as readonly string[]).includes(at.type)) return at as EntityRef<T>;
    }
    return undefined;
  }

  /** All entities of a type, in no particular order; safe against changes while iterating. */
  *ofType<T extends EntityType>(type: T): Iterable<readonly [MoRef<T>, EntityRecord<T>]> {
    for (const key of [...(this.#byType.get(type) ?? [])]) {
      const found = this.#records.get(key);
      if (found) yield [found.ref as unknown as MoRef<T>, found.record as EntityRecord<T>];
    }
  }

  children(parent: ManagedObjectReference): EntityRef[] {
    return [...(this.#children.get(moRefKey(parent))?.values() ?? [])];
  }

  childNamed(parent: ManagedObjectReference, name: string): EntityRef | undefined {
    return this.#children.get(moRefKey(parent))?.get(plainName(name));
  }

  /** Fault: DuplicateName, when a child of `parent` other than `self` has the name. */
  requireFreeName(parent: ManagedObjectReference, name: string, self?: ManagedObjectReference): void {
    const holder = this.childNamed(parent, name);
    if (holder && holder.value !== self?.value) {
      throw new MethodFault('DuplicateName', { name, object: holder as MoRef });
    }
    if (this.#promised.get(moRefKey(parent))?.has(plainName(name))) {
      throw new MethodFault('DuplicateName', { name, object: parent as MoRef });
    }
  }

  /**
   * Nobody else may ask for the name until this is disposed of: a host is about to give it to a VM. Faults: those of
   * requireFreeName.
   */
  promiseName(parent: ManagedObjectReference, name: string, self?: ManagedObjectReference): Disposable {
    this.requireFreeName(parent, name, self);
    const key = moRefKey(parent);
    const names = this.#promised.get(key) ?? new Set<string>();
    this.#promised.set(key, names.add(plainName(name)));
    return {
      [Symbol.dispose]: () => {
        names.delete(plainName(name));
        if (names.size === 0) this.#promised.delete(key);
      },
    };
  }

  /** The name, or with the first free ` (n)` behind it: what vCenter calls a datastore or VM whose name is taken. */
  freeName(parent: ManagedObjectReference, name: string, isTaken: (name: string) => boolean = () => false): string {
    return firstFree(name, (one) => this.childNamed(parent, one) !== undefined || isTaken(one));
  }

  /** Checks and changes that belong together: no other change comes in between. Not re-entrant. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#changing.run(work);
  }

  /** All of it or nothing; resolves when it is on disk and in the index. `ops` of the store go with it. */
  async apply(asked: readonly InventoryOp[], more: readonly Op[] = []): Promise<void> {
    const ops = this.#complete(asked);
    const documents = ops.map(
      (op): Op =>
        'put' in op
          ? { put: RECORDS + moRefKey(op.put), value: op.record }
          : { delete: RECORDS + moRefKey(op.remove as MoRef) },
    );
    await this.#store.batch([...documents, { put: LAST_NUMBER, value: this.#lastNumber }, ...more]);
    for (const op of ops) {
      const ref = 'put' in op ? (op.put as EntityRef) : op.remove;
      const before = this.#records.get(moRefKey(ref as MoRef))?.record;
      if (before) this.#unindex(ref, before);
      if ('put' in op) this.#index(ref, op.record);
      const after = 'put' in op ? op.record : undefined;
      if (before || after) this.#tell({ ref: ref as MoRef<EntityType>, before, after });
    }
  }

  /**
   * What is too much for one change: each step whole, several of them in one change, in their order. When one fails, or this process is
   * killed, those before it have been done: each of them leaves the inventory as good as it was.
   */
  async applySteps(steps: Iterable<InventoryStep>): Promise<void> {
    for (const { ops, more } of inBatches(steps)) await this.apply(ops, more);
  }

  /** What belongs to changes of other entities is added to each set of them; there is one such rule. */
  completeBy(complete: (ops: readonly InventoryOp[]) => readonly InventoryOp[]): void {
    this.#complete = complete;
  }

  /** Hears of every change, parents before children when entities come together. Must not throw. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(change: InventoryChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #index(ref: EntityRef, record: EntityRecord): void {
    const key = moRefKey(ref as MoRef);
    this.#records.set(key, { ref, record });
    this.#byType.get(ref.type as EntityType)?.add(key);
    for (const parent of parentsOf(record)) {
      const siblings = this.#children.get(parent) ?? new Map<string, EntityRef>();
      siblings.set(plainName(record.name), ref);
      this.#children.set(parent, siblings);
    }
  }

  #unindex(ref: EntityRef, record: EntityRecord): void {
    const key = moRefKey(ref as MoRef);
    this.#records.delete(key);
    this.#byType.get(ref.type as EntityType)?.delete(key);
    const name = plainName(record.name);
    for (const parent of parentsOf(record)) {
      const siblings = this.#children.get(parent);
      if (siblings?.get(name)?.value === ref.value) siblings.delete(name);
      if (siblings?.size === 0) this.#children.delete(parent);
    }
  }
}

/** The name, or with the first ` (n)` behind it that is not taken. */
export function firstFree(name: string, isTaken: (name: string) => boolean): string {
  for (let count = 0; ; count++) {
    const candidate = count === 0 ? name : `${name} (${count})`;
    if (!isTaken(candidate)) return candidate;
  }
}

/** A vApp is a child of its pool and of its folder. */
function parentsOf(record: EntityRecord): string[] {
  const folder = 'folder' in record && record.folder ? [moRefKey(record.folder)] : [];
  return [moRefKey(record.parent), ...folder];
}
