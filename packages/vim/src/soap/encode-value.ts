// vim25 values as XML elements, in schema order, filtered to what the client's version knows.
// Trusts the types of what it is given (our own code made it) but never writes malformed XML.

import { box, inferBox, isBoxed } from '../any-value.ts';
import type { ApiVersion } from '../generated/references.ts';
import { formatPrimitive } from '../primitive-value.ts';
import { type DataTypeInfo, schema, type TypeKind, type TypeRef } from '../schema.ts';
import { arrayNameOf, type DeclaredType, itemOf, typeNamed, typeRef, wireName } from '../type-ref.ts';
import { knownAncestor, knownWireName, rankOf } from '../version.ts';
import { type CompiledCodeRuntime, compileFields, type FieldsEncoder } from './compile-fields.ts';
import { encodedForm, encodedText, type HasEncodedForm } from './encoded-form.ts';
import { escapeAttribute, escapeText } from './xml-text.ts';

type Fields = Record<string, unknown> & { readonly _typeName?: string };
type Reference = { readonly type: string; readonly value: string; readonly serverGuid?: string };

/**
 * One element `<tag>…</tag>`, or for an array type one element per item. '' for an unset value.
 * The caller's document must bind `xsi`, `xsd` and the default namespace `urn:vim25`.
 */
export function encodeValue(tag: string, declared: DeclaredType, value: unknown, version: ApiVersion): string {
  return encodeRef(tag, typeRef(declared), value, rankOf(version));
}

/** As encodeValue, for a client of this version rank (see `schema.rank`). */
export function encodeRef(tag: string, ref: TypeRef, value: unknown, rank: number): string {
  if (value === undefined || value === null) return '';
  if (!ref.array) return encodeOne(tag, ref.type, ref.kind, value, rank, false);
  let text = '';
  for (const item of value as readonly unknown[]) text += encodeOne(tag, ref.type, ref.kind, item, rank, false);
  return text;
}

/** `typed`: write xsi:type also where the declared type says it already (items of arrays under any). */
function encodeOne(tag: string, type: string, kind: TypeKind, value: unknown, rank: number, typed: boolean): string {
  switch (kind) {
    case 'primitive': {
      const text = escapeText(formatPrimitive(type, value));
      return typed ? `<${tag} xsi:type="xsd:${type}">${text}</${tag}>` : `<${tag}>${text}</${tag}>`;
    }
    case 'enum':
      return encodeEnum(tag, type, value, rank, typed);
    case 'managed':
      return encodeReference(tag, value as Reference, rank, typed);
    case 'any':
      return encodeAny(tag, value, rank);
    case 'data':
      return encodeData(tag, type, value as Fields, rank, typed);
  }
}

/** A value that the client's version does not have is left out: an unknown enum text breaks pyVmomi. */
function encodeEnum(tag: string, type: string, value: unknown, rank: number, typed: boolean): string {
  const info = schema.type(type);
  const text = String(value);
  const since = info?.kind === 'enum' ? info.values.get(text) : undefined;
  if (info === undefined || since === undefined) throw new TypeError(`${text} is not a ${type}`);
  if (since > rank) return '';
  if (!typed) return `<${tag}>${text}</${tag}>`;
  const name = info.rank > rank ? 'xsd:string' : type;
  return `<${tag} xsi:type="${name}">${text}</${tag}>`;
}

function encodeReference(tag: string, ref: Reference, rank: number, typed: boolean): string {
  const known = knownAncestor(ref.type, rank)?.name;
  if (known === undefined) return '';
  const guid = ref.serverGuid === undefined ? '' : ` serverGuid="${escapeAttribute(ref.serverGuid)}"`;
  const xsi = typed ? ' xsi:type="ManagedObjectReference"' : '';
  return `<${tag} type="${known}"${guid}${xsi}>${escapeText(ref.value)}</${tag}>`;
}

function encodeAny(tag: string, bare: unknown, rank: number): string {
  const value = inferBox(bare) as Fields;
  const name = value._typeName ?? '';
  const ref = typeNamed(name);
  if (ref === undefined) throw new TypeError(`unknown type ${name} under any`);
  if (!isBoxed(value)) {
    if (ref.array || ref.kind === 'primitive' || ref.kind === 'enum')
      throw new TypeError(`a ${name} under any needs a _value`);
    return encodeOne(tag, ref.type, ref.kind, value, rank, true);
  }
  return ref.array
    ? encodeAnyArray(tag, ref, value._value, rank)
    : encodeOne(tag, ref.type, ref.kind, value._value, rank, true);
}

/**
 * A value of a known declared type as it stands under any: what `encodeValue(tag, 'any', box(declared, value), …)` gives,
 * without making the box.
 */
export function encodeUnderAny(tag: string, ref: TypeRef, value: unknown, rank: number): string {
  if (value === undefined || value === null) return '';
  if (ref.array)
    return encodeAnyArray(tag, ref.kind === 'primitive' ? { ...ref, type: wireName(ref) } : ref, value, rank);
  switch (ref.kind) {
    case 'primitive':
      return encodeOne(tag, wireName(ref), 'primitive', value, rank, true);
    case 'data':
      if (schema.data(ref.type)?.isFault === true) break;
      return encodeData(tag, ref.type, value as Fields, rank, true);
    case 'enum':
    case 'managed':
      return encodeOne(tag, ref.type, ref.kind, value, rank, true);
    case 'any':
      break;
  }
  return encodeAny(tag, box(ref, value), rank);
}

/** Every item carries xsi:type, as vCenter writes it: libvirt refuses items without (vim25.md 1.4, rule 4). */
function encodeAnyArray(tag: string, ref: TypeRef, value: unknown, rank: number): string {
  const item = itemOf(ref);
  const name = knownWireName(item, rank);
  let text = `<${tag} xsi:type="${arrayNameOf(name)}">`;
  for (const one of value as readonly unknown[]) text += encodeOne(name, item.type, item.kind, one, rank, true);
  return `${text}</${tag}>`;
}

function encodeData(tag: string, declared: string, value: Fields, rank: number, typed: boolean): string {
  const own = typed ? undefined : (value as Partial<HasEncodedForm>)[encodedForm];
  if (own !== undefined) return encodedText(value as unknown as HasEncodedForm, tag, rank);
  const info = sentType(declared, value, rank);
  return `${openTag(tag, typed ? '' : declared, info.name)}${encodeFields(info, value, rank)}</${tag}>`;
}

/** The start of a data object's element: with xsi:type unless it is of the declared type. */
export function openTag(tag: string, declared: string, actual: string): string {
  return actual === declared ? `<${tag}>` : `<${tag} xsi:type="${actual}">`;
}

/** The type that a data object is sent as: its own, or the nearest ancestor that the client knows. */
export function sentType(declared: string, value: { readonly _typeName?: string }, rank: number): DataTypeInfo {
  const actual = value._typeName ?? declared;
  if (actual !== declared && !schema.isSubtype(actual, declared))
    throw new TypeError(`a ${actual} where a ${declared} is declared`);
  const info = knownAncestor(actual, rank);
  if (info?.kind !== 'data') throw new TypeError(`${actual} is not a data object`);
  return info;
}

/** The properties of a data object, base class first, without an element around them. */
export function encodeFields(info: DataTypeInfo, value: object, rank: number): string {
  return encoderOf(info)(value, rank);
}

interface TypeEncoder {
  uses: number;
  compiled: FieldsEncoder | undefined;
}

/** Most types are sent now and then at most: only for the others a function is worth its memory. */
const COMPILE_AT = 16;

const encoders = new Map<DataTypeInfo, TypeEncoder>();

function encoderOf(info: DataTypeInfo): FieldsEncoder {
  let encoder = encoders.get(info);
  if (encoder === undefined) encoders.set(info, (encoder = { uses: 0, compiled: undefined }));
  if (encoder.compiled !== undefined) return encoder.compiled;
  encoder.uses += 1;
  if (encoder.uses < COMPILE_AT) return (value, rank) => interpretFields(info, value as Fields, rank);
  return (encoder.compiled = compileFields(info, RUNTIME));
}

const RUNTIME: CompiledCodeRuntime = {
  escapeText,
  primitive: (tag, type, value) => encodeOne(tag, type, 'primitive', value, 0, false),
  enumeration: enumEncoder,
  reference: (tag, value, rank) => encodeReference(tag, value as Reference, rank, false),
  any: encodeAny,
  data: (tag, declared, value, rank) => encodeData(tag, declared, value as Fields, rank, false),
  fields(type) {
    const info = schema.data(type);
    if (info === undefined) throw new TypeError(`${type} is not a data object`);
    let encoder = encoders.get(info);
    if (encoder === undefined) encoders.set(info, (encoder = { uses: 0, compiled: undefined }));
    return (encoder.compiled ??= compileFields(info, RUNTIME));
  },
};

/** As encodeEnum, with each element made once. */
function enumEncoder(tag: string, type: string): (value: unknown, rank: number) => string {
  const info = schema.type(type);
  const values = info?.kind === 'enum' ? info.values : new Map<string, number>();
  const elements = new Map([...values].map(([text, since]) => [text, { since, element: `<${tag}>${text}</${tag}>` }]));
  return (value, rank) => {
    const known = elements.get(value as string);
    if (known === undefined) return encodeEnum(tag, type, value, rank, false);
    return known.since > rank ? '' : known.element;
  };
}

/** What the compiled form must equal; see compile-fields.test.ts. */
export function interpretFields(info: DataTypeInfo, value: Fields, rank: number): string {
  let text = '';
  for (const field of info.fields) {
    if (field.rank > rank) continue;
    const property = value[field.name];
    if (property === undefined || property === null) continue;
    if (field.array) {
      for (const item of property as readonly unknown[])
        text += encodeOne(field.name, field.type, field.kind, item, rank, false);
    } else {
      text += encodeOne(field.name, field.type, field.kind, property, rank, false);
    }
  }
  return text;
}
