// Owns categories, tags and what they are attached to. Everything is in the store before it is acknowledged; who may do
// what is the business of tagging-operations.ts.
import { Mutex, type Random, uuid } from '@vivarium/base';
import type { Op, Store } from '@vivarium/store';
import { type ManagedObjectReference, type MoRef, moRefKey } from '@vivarium/vim';
import type { ObjectGraph } from '@vivarium/vmomi';
import {
  type Cardinality,
  type Category,
  duplicate,
  invalid,
  isAssociable,
  notFound,
  requireText,
  requireTypes,
  requireUrn,
  requireWider,
  sameName,
  type Tag,
  urn,
} from './tagging-model.ts';

export interface CategorySpec {
  readonly name: string;
  readonly description: string;
  readonly cardinality: Cardinality;
  readonly associableTypes: readonly string[];
  readonly id?: string | undefined;
}

export interface TagSpec {
  readonly categoryId: string;
  readonly name: string;
  readonly description: string;
  readonly id?: string | undefined;
}

/** New values, or how they follow from what is there. Undefined ones are left out. */
type Changes<T, Part> = { readonly [K in keyof Part]?: Part[K] | undefined } | ((before: T) => Partial<Part>);

interface Attachment {
  readonly tagId: string;
  readonly object: ManagedObjectReference;
}

const CATEGORIES = 'tagging/category/';
const TAGS = 'tagging/tag/';
const ATTACHMENTS = 'tagging/attachment/';
const MOST_CATEGORIES = 1000;
const MOST_TAGS = 10_000;
/** Operations in one batch of the store. */
const BATCH = 1000;

export class Tagging {
  readonly #store: Store;
  readonly #random: Random;
  readonly #changes = new Mutex();
  readonly #categories = new Map<string, Category>();
  readonly #tags = new Map<string, Tag>();
  /** Tag -> objects by moref key, and the way back. */
  readonly #objects = new Map<string, Map<string, ManagedObjectReference>>();
  readonly #tagsOf = new Map<string, Set<string>>();
  #graph: Pick<ObjectGraph, 'find'> | undefined;

  constructor(store: Store, random: Random) {
    this.#store = store;
    this.#random = random;
    for (const { value } of store.range<Category>(CATEGORIES)) this.#categories.set(value.id, value);
    for (const { value } of store.range<Tag>(TAGS)) this.#tags.set(value.id, value);
    for (const { value } of store.range<Attachment>(ATTACHMENTS)) this.#remember(value);
  }

  categories(): Category[] {
    return [...this.#categories.values()];
  }

  /** Error: not_found. */
  category(id: string): Category {
    const category = this.#categories.get(id);
    if (!category) throw notFound(id);
    return category;
  }

  /** Errors: already_exists, invalid_argument. Answers the id. */
  createCategory(spec: CategorySpec): Promise<string> {
    return this.#changes.run(async () => {
      requireText(spec);
      requireTypes(spec.associableTypes);
      if (this.#categories.size >= MOST_CATEGORIES)
        throw invalid(`There are ${MOST_CATEGORIES} categories.`, spec.name);
      const id = spec.id ?? urn('Category', uuid(this.#random));
      requireUrn('Category', id);
      const { name, description, cardinality, associableTypes } = spec;
      if (this.#categories.has(id)) throw duplicate('Category', id);
      this.#requireFreeCategory(name);
      await this.#putCategory({ id, name, description, cardinality, associableTypes, usedBy: [] });
      return id;
    });
  }

  /** Errors: already_exists, invalid_argument, not_found. */
  updateCategory(id: string, changes: Changes<Category, Omit<Category, 'id'>>): Promise<void> {
    return this.#changes.run(async () => {
      const before = this.category(id);
      const after = changed(before, changes);
      requireText(after);
      requireTypes(after.associableTypes);
      requireWider(before, after);
      if (!sameName(before.name, after.name)) this.#requireFreeCategory(after.name);
      await this.#putCategory(after);
    });
  }

  /** With its tags, which come off whatever they are attached to. Error: not_found. */
  deleteCategory(id: string): Promise<void> {
    return this.#changes.run(async () => {
      this.category(id);
      const tags = this.tagsOfCategory(id);
      // Tags first: a category without its tags is whole, tags without their category are not.
      for (const tag of tags) await this.#dropTag(tag.id);
      await this.#store.batch([{ delete: CATEGORIES + id }]);
      this.#categories.delete(id);
    });
  }

  tags(): Tag[] {
    return [...this.#tags.values()];
  }

  tagsOfCategory(categoryId: string): Tag[] {
    return this.tags().filter((tag) => tag.categoryId === categoryId);
  }

  /** Error: not_found. */
  tag(id: string): Tag {
    const tag = this.#tags.get(id);
    if (!tag) throw notFound(id);
    return tag;
  }

  /** Errors: already_exists, invalid_argument, not_found (the category). Answers the id. */
  createTag(spec: TagSpec): Promise<string> {
    return this.#changes.run(async () => {
      requireText(spec);
      this.category(spec.categoryId);
      if (this.#tags.size >= MOST_TAGS) throw invalid(`There are ${MOST_TAGS} tags.`, spec.name);
      const id = spec.id ?? urn('Tag', uuid(this.#random));
      requireUrn('Tag', id);
      const { categoryId, name, description } = spec;
      if (this.#tags.has(id)) throw duplicate('Tag', id);
      this.#requireFreeTag(categoryId, name);
      await this.#putTag({ id, categoryId, name, description, usedBy: [] });
      return id;
    });
  }

  /** Errors: already_exists, invalid_argument, not_found. */
  updateTag(id: string, changes: Changes<Tag, Omit<Tag, 'id' | 'categoryId'>>): Promise<void> {
    return this.#changes.run(async () => {
      const before = this.tag(id);
      const after = changed(before, changes);
      requireText(after);
      if (!sameName(before.name, after.name)) this.#requireFreeTag(after.categoryId, after.name);
      await this.#putTag(after);
    });
  }

  /** It comes off whatever it is attached to. Error: not_found. */
  deleteTag(id: string): Promise<void> {
    return this.#changes.run(async () => {
      this.tag(id);
      await this.#dropTag(id);
    });
  }

  /** The object must exist: the caller has looked. No-op when it is attached. Errors: not_found, invalid_argument. */
  attach(tagId: string, object: ManagedObjectReference): Promise<void> {
    return this.#changes.run(async () => {
      const tag = this.tag(tagId);
      if (this.isAttached(tagId, object)) return;
      const reason = this.#obstacle(tag, object);
      if (reason !== undefined) throw invalid(reason, tagId);
      const attachment: Attachment = { tagId, object: { type: object.type, value: object.value } };
      await this.#store.batch([{ put: attachmentKey(tagId, object), value: attachment }]);
      this.#remember(attachment);
      // It may have left while the store wrote.
      if (this.#graph && !this.#graph.find(object as MoRef)) await this.#dropObject(object);
    });
  }

  /** No-op when it is not attached. Error: not_found. */
  detach(tagId: string, object: ManagedObjectReference): Promise<void> {
    return this.#changes.run(async () => {
      this.tag(tagId);
      if (!this.isAttached(tagId, object)) return;
      await this.#store.batch([{ delete: attachmentKey(tagId, object) }]);
      this.#forget(tagId, moRefKey(object));
    });
  }

  isAttached(tagId: string, object: ManagedObjectReference): boolean {
    return this.#objects.get(tagId)?.has(moRefKey(object)) ?? false;
  }

  /** Whether attaching it now would be neither refused nor without effect. */
  isAttachable(tag: Tag, object: ManagedObjectReference): boolean {
    return !this.isAttached(tag.id, object) && this.#obstacle(tag, object) === undefined;
  }

  /** What a tag is attached to. */
  objectsWith(tagId: string): ManagedObjectReference[] {
    return [...(this.#objects.get(tagId)?.values() ?? [])];
  }

  /** Ids of an object's tags. */
  tagsOn(object: ManagedObjectReference): string[] {
    return [...(this.#tagsOf.get(moRefKey(object)) ?? [])];
  }

  /** From now on, tags come off objects that leave the graph. `onError` hears of a store that could not note it. */
  watch(graph: ObjectGraph, onError: (error: unknown) => void): () => void {
    this.#graph = graph;
    return graph.onRemove(({ ref }) => {
      if (this.#tagsOf.has(moRefKey(ref))) this.#changes.run(() => this.#dropObject(ref)).catch(onError);
    });
  }

  /** Takes tags off objects that there are not (any more): for when the inventory has been loaded. */
  sweep(exists: (object: ManagedObjectReference) => boolean): Promise<void> {
    return this.#changes.run(async () => {
      const attached = new Map([...this.#objects.values()].flatMap((objects) => [...objects]));
      for (const object of attached.values()) if (!exists(object)) await this.#dropObject(object);
    });
  }

  #obstacle(tag: Tag, object: ManagedObjectReference): string | undefined {
    const category = this.category(tag.categoryId);
    if (!isAssociable(category, object.type))
      return `Tags of the category '${category.name}' cannot be attached to objects of the type ${object.type}.`;
    const isTaken =
      category.cardinality === 'SINGLE' &&
      this.tagsOn(object).some((other) => this.#tags.get(other)?.categoryId === category.id);
    return isTaken ? `The object has a tag of the category '${category.name}', which allows one only.` : undefined;
  }

  #requireFreeCategory(name: string): void {
    if (this.categories().some((category) => sameName(category.name, name))) throw duplicate('Category', name);
  }

  #requireFreeTag(categoryId: string, name: string): void {
    if (this.tagsOfCategory(categoryId).some((tag) => sameName(tag.name, name))) throw duplicate('Tag', name);
  }

  async #putCategory(category: Category): Promise<void> {
    await this.#store.batch([{ put: CATEGORIES + category.id, value: category }]);
    this.#categories.set(category.id, category);
  }

  async #putTag(tag: Tag): Promise<void> {
    await this.#store.batch([{ put: TAGS + tag.id, value: tag }]);
    this.#tags.set(tag.id, tag);
  }

  async #dropTag(tagId: string): Promise<void> {
    const objects = this.objectsWith(tagId);
    await this.#deleteAll([...objects.map((object) => attachmentKey(tagId, object)), TAGS + tagId]);
    for (const object of objects) this.#forget(tagId, moRefKey(object));
    this.#tags.delete(tagId);
  }

  async #dropObject(object: ManagedObjectReference): Promise<void> {
    const tags = this.tagsOn(object);
    await this.#deleteAll(tags.map((tagId) => attachmentKey(tagId, object)));
    for (const tagId of tags) this.#forget(tagId, moRefKey(object));
  }

  /** In order, in batches of bounded size. */
  async #deleteAll(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += BATCH)
      await this.#store.batch(keys.slice(start, start + BATCH).map((key): Op => ({ delete: key })));
  }

  #remember({ tagId, object }: Attachment): void {
    const key = moRefKey(object);
    const objects = this.#objects.get(tagId) ?? new Map<string, ManagedObjectReference>();
    this.#objects.set(tagId, objects.set(key, object));
    const tags = this.#tagsOf.get(key) ?? new Set<string>();
    this.#tagsOf.set(key, tags.add(tagId));
  }

  #forget(tagId: string, objectKey: string): void {
    const objects = this.#objects.get(tagId);
    objects?.delete(objectKey);
    if (objects?.size === 0) this.#objects.delete(tagId);
    const tags = this.#tagsOf.get(objectKey);
    tags?.delete(tagId);
    if (tags?.size === 0) this.#tagsOf.delete(objectKey);
  }
}

function attachmentKey(tagId: string, object: ManagedObjectReference): string {
  return `${ATTACHMENTS}${tagId}/${moRefKey(object)}`;
}

function changed<T extends object, Part>(before: T, changes: Changes<T, Part>): T {
  const values: object = typeof changes === 'function' ? (changes(before) as object) : changes;
  return { ...before, ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) };
}
