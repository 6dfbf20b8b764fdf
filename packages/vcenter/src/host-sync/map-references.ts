// The same value with other references, and with datastore paths under other names. Pure; what does not change is shared.
import { type ManagedObjectReference, schema } from '@vivarium/vim';

export interface Mapping {
  /** The same object elsewhere; undefined = leave it as it is. */
  readonly reference: (ref: ManagedObjectReference) => ManagedObjectReference | undefined;
  /** A data object said differently elsewhere; its fields are mapped after that. undefined = as it is. */
  readonly object?: (object: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>> | undefined;
  /** The name of a datastore elsewhere, in texts such as `[datastore1] a/a.vmx`; undefined = no paths are mapped. */
  readonly datastoreName?: (name: string) => string | undefined;
}

/** Texts that people write: no paths, whatever they look like. */
const FREE_TEXT: ReadonlySet<string> = new Set(['annotation', 'extraConfig', 'message', 'fullFormattedMessage']);
/** As hosts read it: with blanks around the brackets and around the name. */
const PATH = /^\s*\[\s*([^\]]*?)\s*\]/;
const BEGIN = /^\s*\[/;

export function mapReferences<T>(value: T, mapping: Mapping): T {
  return map(value, mapping, NOTHING) as T;
}

/** A value that was mapped, and what came of it. */
export interface Mapped {
  readonly former: unknown;
  readonly mapped: unknown;
}

/** The same; parts that are the very objects of a value that was mapped by the same mapping before are not gone through again. */
export function mapChanges<T>(value: T, before: Mapped, mapping: Mapping): T {
  return map(value, mapping, before) as T;
}

const NOTHING: Mapped = { former: undefined, mapped: undefined };

function map(value: unknown, mapping: Mapping, before: Mapped): unknown {
  if (typeof value === 'string') return mapPath(value, mapping);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (value === before.former && before.mapped !== undefined) return before.mapped;
  if (Array.isArray(value)) return mapArray(value, mapping, before);
  if (isReference(value)) {
    const mapped = mapping.reference(value);
    return mapped ? { ...value, type: mapped.type, value: mapped.value } : value;
  }
  return mapObject(value as Fields, mapping, before);
}

function mapPath(text: string, { datastoreName }: Mapping): string {
  if (!datastoreName || !isPathLike(text)) return text;
  const [place = '', name] = PATH.exec(text) ?? [];
  const mapped = name === undefined ? undefined : datastoreName(name);
  return mapped === undefined || mapped === name ? text : `[${mapped}]${text.slice(place.length)}`;
}

/** Nearly all texts are told by their first character. */
function isPathLike(text: string): boolean {
  const first = text.charCodeAt(0);
  return first === 0x5b || ((first <= 0x20 || first > 0x7f) && BEGIN.test(text));
}

function mapArray(items: readonly unknown[], mapping: Mapping, before: Mapped): readonly unknown[] {
  const hasPast = Array.isArray(before.former) && Array.isArray(before.mapped);
  let copy: unknown[] | undefined;
  for (const [index, item] of items.entries()) {
    const mapped = map(item, mapping, hasPast ? partOf(before, index) : NOTHING);
    if (mapped !== item) (copy ??= [...items])[index] = mapped;
  }
  return copy ?? items;
}

type Fields = Readonly<Record<string, unknown>>;

function mapObject(given: Fields, mapping: Mapping, before: Mapped): Fields {
  const replaced = mapping.object?.(given);
  const object = replaced ?? given;
  const hasPast = replaced === undefined && isData(before.former) && isData(before.mapped);
  // Of an object that was said differently the fields are no longer those of what came of it.
  const isComparable = hasPast && mapping.object?.(before.former as Fields) === undefined;
  let copy: Record<string, unknown> | undefined;
  for (const name in object) {
    const value = object[name];
    // Most of what there is, at every change of a VM: nothing in it can be mapped.
    if (typeof value === 'string' ? !isPathLike(value) : typeof value !== 'object') continue;
    if (FREE_TEXT.has(name)) continue;
    const mapped = map(value, mapping, isComparable ? partOf(before, name) : NOTHING);
    if (mapped !== value) (copy ??= { ...object })[name] = mapped;
  }
  return copy ?? object;
}

function partOf({ former, mapped }: Mapped, name: string | number): Mapped {
  return { former: (former as Fields)[name], mapped: (mapped as Fields)[name] };
}

function isData(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A data object may have a `type` and a `value` as well, but no managed type's name in the one. */
function isReference(value: object): value is ManagedObjectReference {
  const { _typeName: name } = value as Readonly<Record<string, unknown>>;
  if (name !== undefined && name !== 'ManagedObjectReference') return false;
  const { type, value: id } = value as Readonly<Record<string, unknown>>;
  return typeof type === 'string' && typeof id === 'string' && schema.managed(type) !== undefined;
}
