// Categories and tags: what they are and which changes and attachments their rules allow. Pure.
import { schema } from '@vivarium/vim';
import { message, VapiError } from '../rest/vapi-error.ts';

export type Cardinality = 'SINGLE' | 'MULTIPLE';

export interface Category {
  /** 'urn:vmomi:InventoryServiceCategory:<uuid>:GLOBAL' */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly cardinality: Cardinality;
  /** Managed types, 'VirtualMachine'; none means all. */
  readonly associableTypes: readonly string[];
  readonly usedBy: readonly string[];
}

export interface Tag {
  /** 'urn:vmomi:InventoryServiceTag:<uuid>:GLOBAL' */
  readonly id: string;
  readonly categoryId: string;
  readonly name: string;
  readonly description: string;
  readonly usedBy: readonly string[];
}

export type Kind = 'Category' | 'Tag';

export function urn(kind: Kind, uuid: string): string {
  return `urn:vmomi:InventoryService${kind}:${uuid}:GLOBAL`;
}

/** An id that a client chose. Error: invalid_argument. */
export function requireUrn(kind: Kind, id: string): void {
  const pattern = new RegExp(`^urn:vmomi:InventoryService${kind}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:GLOBAL$`);
  if (!pattern.test(id)) throw invalid(`'${id.slice(0, 128)}' is not an id of a ${kind.toLowerCase()}.`, id);
}

const MOST_NAME_CHARACTERS = 255;
const MOST_DESCRIPTION_CHARACTERS = 4096;
const MOST_TYPES = 100;

export function requireText({ name, description }: { name: string; description: string }): void {
  if (name.trim() === '' || name.length > MOST_NAME_CHARACTERS)
    throw invalid(`A name has 1 to ${MOST_NAME_CHARACTERS} characters.`, name);
  if (description.length > MOST_DESCRIPTION_CHARACTERS)
    throw invalid(`A description has at most ${MOST_DESCRIPTION_CHARACTERS} characters.`, '');
}

export function requireTypes(types: readonly string[]): void {
  if (types.length > MOST_TYPES) throw invalid(`A category has at most ${MOST_TYPES} types.`, '');
  const bad = types.find((type) => !/^[A-Za-z][\w.:]{0,127}$/.test(type));
  if (bad !== undefined) throw invalid(`'${bad.slice(0, 128)}' is not a type of objects.`, bad);
}

/** A category becomes more general only: what is attached has to stay allowed. Error: invalid_argument. */
export function requireWider(before: Category, after: Category): void {
  if (before.cardinality === 'MULTIPLE' && after.cardinality === 'SINGLE')
    throw invalid('A category of several tags per object cannot become one of a single tag.', after.name);
  const lost = before.associableTypes.find((type) => !after.associableTypes.includes(type));
  const wasEverything = before.associableTypes.length === 0 && after.associableTypes.length > 0;
  if (lost !== undefined || wasEverything)
    throw invalid('The types of a category can only be added to.', lost ?? after.associableTypes[0] ?? '');
}

/** Whether the category's tags may be on objects of this type. */
export function isAssociable({ associableTypes }: Category, type: string): boolean {
  if (associableTypes.length === 0) return true;
  return associableTypes.some((allowed) => allowed === type || schema.isSubtype(type, allowed));
}

/** 'urn:vim25:VirtualMachine', as newer clients write it, is kept and told as 'VirtualMachine'. */
export function bareType(type: string): string {
  return type.replace(/^urn:vim25:/, '');
}

export function invalid(text: string, argument: string): VapiError {
  return new VapiError('invalid_argument', message('cis.tagging.invalidArgument.error', text, argument.slice(0, 128)));
}

export function notFound(id: string): VapiError {
  const shown = id.slice(0, 256);
  return new VapiError(
    'not_found',
    message('cis.tagging.objectNotFound.error', `Tagging object ${shown} not found`, shown),
  );
}

export function duplicate(kind: Kind, name: string): VapiError {
  const text = `A ${kind.toLowerCase()} with the name '${name}' exists already.`;
  return new VapiError('already_exists', message('cis.tagging.alreadyExists.error', text, name));
}

/** Names that differ in case only are the same, as in the directory that vCenter keeps tags in. */
export function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
