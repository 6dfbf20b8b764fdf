// Type references by text, and the names that types have when they stand under `any`.

import { schema, type TypeRef } from './schema.ts';

/** A declared type as callers may write it: 'any', 'VirtualDisk', 'VirtualDevice[]', or the schema's own reference. */
export type DeclaredType = string | TypeRef;

export function typeRef(declared: DeclaredType): TypeRef {
  if (typeof declared !== 'string') return declared;
  const array = declared.endsWith('[]');
  const type = array ? declared.slice(0, -2) : declared;
  return { type, kind: schema.kindOf(type), array, optional: false };
}

export function itemOf(ref: TypeRef): TypeRef {
  return ref.array ? { type: ref.type, kind: ref.kind, array: false, optional: false } : ref;
}

/** vmodl types that travel as plain strings, also under any (pyVmomi's isDynamicType). */
const STRING_LIKE: ReadonlySet<string> = new Set(['string', 'typeName', 'methodName', 'propertyPath']);

/** The name of a non-array type under any: `string` for the string-like, ManagedObjectReference for every managed type. */
export function wireName(ref: TypeRef): string {
  if (STRING_LIKE.has(ref.type)) return 'string';
  if (ref.kind === 'managed') return 'ManagedObjectReference';
  return ref.kind === 'any' ? 'anyType' : ref.type;
}

/** `ArrayOf` + the capitalized item name: ArrayOfString, ArrayOfVirtualDevice, ArrayOfManagedObjectReference. */
export function arrayName(item: TypeRef): string {
  return arrayNameOf(wireName(item));
}

export function arrayNameOf(name: string): string {
  return `ArrayOf${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

const PRIMITIVE_ITEMS: ReadonlyMap<string, string> = new Map([
  ['String', 'string'],
  ['Boolean', 'boolean'],
  ['Byte', 'byte'],
  ['Short', 'short'],
  ['Int', 'int'],
  ['Long', 'long'],
  ['Float', 'float'],
  ['Double', 'double'],
  ['DateTime', 'dateTime'],
  ['Base64Binary', 'base64Binary'],
  ['AnyURI', 'anyURI'],
  ['AnyType', 'any'],
  ['TypeName', 'string'],
  ['MethodName', 'string'],
  ['PropertyPath', 'string'],
  ['ManagedObjectReference', 'ManagedObjectReference'],
  ['ManagedObject', 'ManagedObjectReference'], // pyVmomi writes it so
]);

/** Names under any that stand for another type. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['anyType', 'any'],
  ['unsignedByte', 'byte'], // govmomi's uint8
  ['unsignedShort', 'int'],
  ['unsignedInt', 'long'],
  ['unsignedLong', 'long'],
  ['integer', 'long'],
  ['decimal', 'double'],
  ['TypeName', 'string'],
  ['MethodName', 'string'],
  ['PropertyPath', 'string'],
  ['ManagedObject', 'ManagedObjectReference'],
]);

/** The type that a name written under any stands for ('int', 'anyType', 'ArrayOfInt', 'VirtualDisk'); undefined for an unknown name. */
export function typeNamed(name: string): TypeRef | undefined {
  if (name.startsWith('ArrayOf')) {
    const item = name.slice('ArrayOf'.length);
    const type = PRIMITIVE_ITEMS.get(item) ?? item;
    const known = PRIMITIVE_ITEMS.has(item) || schema.type(item) !== undefined;
    return known ? { type, kind: schema.kindOf(type), array: true, optional: false } : undefined;
  }
  const type = ALIASES.get(name) ?? name;
  const kind = schema.kindOf(type);
  const known =
    kind === 'primitive' || kind === 'any' || type === 'ManagedObjectReference' || schema.type(type) !== undefined;
  return known && type !== 'void' ? { type, kind, array: false, optional: false } : undefined;
}
