// VI/JSON values -> the value model, checked against the schema. Also checks values that our own code made.
// Unknown properties are left out, as in SOAP; nothing is coerced.

import { inferBox } from '../any-value.ts';
import { MethodFault } from '../method-fault.ts';
import { checkPrimitive, invalidValue } from '../primitive-value.ts';
import { type DataTypeInfo, type FieldInfo, schema, type TypeRef } from '../schema.ts';
import { arrayName, type DeclaredType, itemOf, typeNamed, typeRef } from '../type-ref.ts';

const MAX_DEPTH = 256;

type JsonObject = Readonly<Record<string, unknown>>;

/** Where a value stands, innermost last, and what its client's version requires. */
interface Place {
  readonly parent: Place | undefined;
  readonly label: string;
  readonly depth: number;
  readonly rank: number;
}

function pathOf(place: Place): string {
  const parts: string[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) parts.unshift(at.label);
  return parts.join('').replace(/^\./, '');
}

function inside(parent: Place, label: string): Place {
  const depth = parent.depth + 1;
  if (depth > MAX_DEPTH)
    throw new MethodFault('InvalidRequest', {}, `the message is nested more than ${MAX_DEPTH} deep`);
  return { parent, label, depth, rank: parent.rank };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalidType(name: unknown): MethodFault<'InvalidType'> {
  const argument = String(name).slice(0, 128);
  return new MethodFault('InvalidType', { argument }, `unknown or unexpected type "${argument}"`);
}

function decodeRef(ref: TypeRef, value: unknown, place: Place): unknown {
  if (!ref.array) return decodeOne(ref, value, place);
  if (!Array.isArray(value)) throw invalidValue(`array of ${ref.type}`, typeof value, () => pathOf(place));
  const item = itemOf(ref);
  return value.map((one, index) => decodeOne(item, one, inside(place, `[${index}]`)));
}

function decodeOne(ref: TypeRef, value: unknown, place: Place): unknown {
  switch (ref.kind) {
    case 'primitive':
      return checkPrimitive(ref.type, value, () => pathOf(place));
    case 'enum':
      return decodeEnum(ref.type, value, place);
    case 'managed':
      return decodeReference(ref.type, value, place);
    case 'any':
      return decodeAny(value, place);
    case 'data':
      return decodeData(ref.type, value, place);
  }
}

function decodeEnum(type: string, value: unknown, place: Place): string {
  const info = schema.type(type);
  if (typeof value === 'string' && info?.kind === 'enum' && info.values.has(value)) return value;
  throw invalidValue(type, typeof value === 'string' ? value : typeof value, () => pathOf(place));
}

function decodeReference(expected: string, value: unknown, place: Place): unknown {
  if (!isObject(value) || typeof value['type'] !== 'string' || typeof value['value'] !== 'string') {
    throw invalidValue('ManagedObjectReference', typeof value, () => pathOf(place));
  }
  const { type, value: id, serverGuid } = value;
  if (schema.managed(type) === undefined) throw invalidType(type);
  if (expected !== 'ManagedObjectReference' && !schema.isSubtype(type, expected)) {
    throw new MethodFault('InvalidArgument', { invalidProperty: pathOf(place) });
  }
  return { type, value: id, ...(typeof serverGuid === 'string' ? { serverGuid } : {}) };
}

function decodeAny(value: unknown, place: Place): unknown {
  if (!isObject(value)) {
    if (typeof value === 'object') throw invalidValue('any', 'array', () => pathOf(place));
    return inferBox(value);
  }
  const name = value['_typeName'];
  const ref = typeof name === 'string' ? typeNamed(name) : undefined;
  if (ref === undefined || (ref.kind === 'any' && !ref.array)) throw invalidType(name);
  if (ref.array || ref.kind === 'primitive' || ref.kind === 'enum') {
    return { _typeName: ref.array ? arrayName(itemOf(ref)) : ref.type, _value: decodeRef(ref, value['_value'], place) };
  }
  const decoded = decodeOne(ref, value, place);
  return ref.kind === 'managed' ? { _typeName: 'ManagedObjectReference', ...(decoded as object) } : decoded;
}

function decodeData(declared: string, value: unknown, place: Place): unknown {
  if (!isObject(value)) throw invalidValue(declared, typeof value, () => pathOf(place));
  const name = value['_typeName'] ?? declared;
  if (typeof name !== 'string' || !schema.isSubtype(name, declared)) throw invalidType(name);
  const info = schema.data(name);
  if (info === undefined) throw invalidType(name);
  return decodeFields(info.fields, value, { _typeName: name }, place);
}

function decodeFields(
  fields: DataTypeInfo['fields'],
  from: JsonObject,
  into: Record<string, unknown>,
  place: Place,
): JsonObject {
  for (const field of fields) {
    const value = Object.hasOwn(from, field.name) ? from[field.name] : undefined;
    if (value !== undefined && value !== null)
      into[field.name] = decodeRef(field, value, inside(place, `.${field.name}`));
    else if (!field.optional) into[field.name] = absent(field, place);
    if (into[field.name] === undefined) delete into[field.name];
  }
  return into;
}

function absent(field: FieldInfo, place: Place): [] | undefined {
  if (field.array) return [];
  if (field.rank > place.rank) return undefined;
  throw new MethodFault('InvalidArgument', { invalidProperty: pathOf(inside(place, `.${field.name}`)) });
}

/**
 * A value of a declared type from parsed JSON. Throws InvalidRequest, InvalidType or InvalidArgument.
 * `rank`: properties newer than it need not be there; default: all must.
 */
export function decodeJson(declared: DeclaredType, value: unknown, rank = Number.POSITIVE_INFINITY): unknown {
  return decodeRef(typeRef(declared), value, { parent: undefined, label: '', depth: 0, rank });
}

/** The arguments of a method from a parsed JSON body; see decodeJson for the faults, MethodNotFound for an unknown method. */
export function decodeJsonArgs(
  managedType: string,
  method: string,
  json: unknown,
  rank = Number.POSITIVE_INFINITY,
): Record<string, unknown> {
  const info = schema.method(managedType, method);
  if (info === undefined)
    throw new MethodFault('MethodNotFound', {
      receiver: { type: 'ServiceInstance', value: '' },
      method: method.slice(0, 128),
    });
  const body = json ?? {};
  if (!isObject(body)) throw new MethodFault('InvalidRequest', {}, 'the body must be a JSON object');
  const args: Record<string, unknown> = {};
  decodeFields(info.params, body, args, { parent: undefined, label: '', depth: 0, rank });
  return args;
}

/** Throws unless `args` are well-typed arguments of the method, as decodeJsonArgs would. */
export function validateArgs(managedType: string, method: string, args: Readonly<Record<string, unknown>>): void {
  decodeJsonArgs(managedType, method, args);
}
