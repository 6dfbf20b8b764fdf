// Inventory → graph: an object for each entity, with its methods, its place and the lists that name it.
import type { Handlers, ManagedTypeName, MoRef, Properties } from '@vivarium/vim';
import type { Call, ObjectGraph } from '@vivarium/vmomi';
import { ENTITY_TYPES, type EntityRecord, type EntityType } from '../inventory/entity-records.ts';
import { type Inventory, type InventoryChange, NOWHERE } from '../inventory/inventory.ts';
import type { MemberLists } from '../inventory/member-lists.ts';
import { GOOD } from './entity-status.ts';

/** A list that names the entity: which object's, which property. */
export interface Listing {
  readonly owner: MoRef;
  readonly property: string;
}

/** How entities of a type look before anybody reports of them. */
export interface EntityFace<T extends EntityType> {
  readonly handlers: (ref: MoRef<T>) => Handlers<T, Call>;
  readonly properties: (ref: MoRef<T>, record: EntityRecord<T>) => Properties<T>;
  /** Where it is listed; by its record alone. */
  readonly listings: (record: EntityRecord<T>) => readonly Listing[];
  /** Where it is listed by what its host has reported, which whoever takes that in keeps; left when the entity goes. */
  readonly reportedListings?: (ref: MoRef<T>) => readonly Listing[];
  /** What its record says beside name and place, when it has changed. */
  readonly changes?: (ref: MoRef<T>, record: EntityRecord<T>, before: EntityRecord<T>) => Partial<Properties<T>>;
  /** Objects beside it that come and go with it. */
  readonly companions?: (ref: MoRef<T>, record: EntityRecord<T>) => readonly Companion[];
}

export interface Companion {
  readonly ref: MoRef;
  readonly properties: object;
  readonly handlers: object;
}

export type EntityFaces = { readonly [T in EntityType]: EntityFace<T> };

export interface PublisherOptions {
  readonly graph: ObjectGraph;
  readonly inventory: Inventory;
  readonly lists: MemberLists;
  readonly faces: EntityFaces;
}

/** Puts everything into the graph that the inventory has, and follows it until `stop`. */
export function publishInventory(options: PublisherOptions): { stop(): void } {
  const { inventory } = options;
  for (const type of ENTITY_TYPES) {
    for (const [ref, record] of inventory.ofType(type)) add(options, ref, record);
  }
  const stop = inventory.onChange((change) => {
    if (!change.before && change.after) add(options, change.ref, change.after);
    else if (change.before && !change.after) remove(options, change.ref, change.before);
    else if (change.before && change.after) moved(options, change);
  });
  return { stop };
}

function faceOf<T extends EntityType>({ faces }: PublisherOptions, ref: MoRef<T>): EntityFace<T> {
  return faces[(ref as unknown as { type: T }).type];
}

function add<T extends EntityType>(options: PublisherOptions, ref: MoRef<T>, record: EntityRecord<T>): void {
  const { graph, lists } = options;
  const face = faceOf(options, ref);
  for (const { ref: beside, properties, handlers } of face.companions?.(ref, record) ?? []) {
    graph.add(beside, properties as never, handlers as never, { entity: ref as MoRef });
  }
  const parent = record.parent.value === NOWHERE.value ? {} : { parent: record.parent };
  const properties = { ...GOOD, name: record.name, ...parent, ...face.properties(ref, record) };
  graph.add(ref as MoRef<ManagedTypeName>, properties as never, face.handlers(ref) as never);
  for (const { owner, property } of face.listings(record)) lists.add(owner, property, ref as MoRef);
}

function remove<T extends EntityType>(options: PublisherOptions, ref: MoRef<T>, record: EntityRecord<T>): void {
  const { graph, lists } = options;
  const face = faceOf(options, ref);
  const listings = [...face.listings(record), ...(face.reportedListings?.(ref) ?? [])];
  for (const { owner, property } of listings) lists.remove(owner, property, ref as MoRef);
  lists.flush(); // nobody is to follow a reference to nothing
  for (const { ref: beside } of face.companions?.(ref, record) ?? []) graph.remove(beside);
  graph.remove(ref as MoRef);
}

function moved<T extends EntityType>(
  options: PublisherOptions,
  { ref, before, after }: InventoryChange<T> & { before?: EntityRecord<T> | undefined },
): void {
  if (!before || !after) return;
  const { graph, lists } = options;
  const face = faceOf(options, ref);
  const more = face.changes?.(ref, after, before) ?? {};
  graph.find(ref as MoRef)?.update({ name: after.name, parent: after.parent, ...more });
  const former = face.listings(before);
  const now = face.listings(after);
  const key = ({ owner, property }: Listing) => `${owner.type}:${owner.value} ${property}`;
  const kept = new Set(now.map(key));
  const had = new Set(former.map(key));
  for (const one of former) if (!kept.has(key(one))) lists.remove(one.owner, one.property, ref as MoRef);
  for (const one of now) if (!had.has(key(one))) lists.add(one.owner, one.property, ref as MoRef);
}
