// What changed between two values of one property path, as PropertyChanges a client can apply to its copy. Pure.
import { isDeepStrictEqual } from 'node:util';
import { type PropertyChangeOp, schema, type TypeRef } from '@vivarium/vim';
import { elementKey } from '../graph/property-value.ts';
import { isNumberType, keyTypeOf } from './path-plan.ts';

/** `value` undefined with 'assign': the property is unset now. */
export interface Delta {
  readonly name: string;
  readonly op: PropertyChangeOp;
  readonly type: TypeRef;
  readonly value: unknown;
}

/** From here on the whole value is cheaper to send and to apply. */
const MAX_DELTAS = 64;

/**
 * The nested changes that lead from one set value to another, as far down as data objects and keyed arrays go, for a
 * client of version rank `rank` (what it does not know is not named). Applied in order they give exactly `after`.
 */
export function nestedDifferences(
  name: string,
  type: TypeRef,
  before: unknown,
  after: unknown,
  rank: number,
): readonly Delta[] {
  const deltas: Delta[] = [];
  compare(name, type, before, after, rank, deltas);
  return deltas.length > MAX_DELTAS ? [{ name, op: 'assign', type, value: after }] : deltas;
}

function compare(name: string, type: TypeRef, before: unknown, after: unknown, rank: number, deltas: Delta[]): void {
  if (deltas.length > MAX_DELTAS || before === after) return;
  if (type.array) {
    compareArrays(name, type, before, after, rank, deltas);
  } else if (type.kind === 'data' && isSameType(type, before, after)) {
    compareData(name, type, before as DataObject, after as DataObject, rank, deltas);
  } else if (!isDeepStrictEqual(before, after)) {
    deltas.push({ name, op: 'assign', type, value: after });
  }
}

type DataObject = Readonly<Record<string, unknown>>;

function compareData(
  name: string,
  type: TypeRef,
  before: DataObject,
  after: DataObject,
  rank: number,
  deltas: Delta[],
): void {
  for (const field of schema.data(runtimeType(type, after))?.fields ?? []) {
    if (field.rank > rank) continue;
    const was = before[field.name];
    const is = after[field.name];
    if (was === is) continue;
    const path = `${name}.${field.name}`;
    if (was === undefined || is === undefined) deltas.push({ name: path, op: 'assign', type: field, value: is });
    else compare(path, field, was, is, rank, deltas);
  }
}

function compareArrays(
  name: string,
  type: TypeRef,
  before: unknown,
  after: unknown,
  rank: number,
  deltas: Delta[],
): void {
  const element: TypeRef = { ...type, array: false };
  const keyType = keyTypeOf(type);
  const was = keyType && byKey(before);
  const is = keyType && byKey(after);
  if (!keyType || was === undefined || is === undefined || !isKeptInOrder(was, is)) {
    if (!isDeepStrictEqual(before, after)) deltas.push({ name, op: 'assign', type, value: after });
    return;
  }
  for (const key of was.keys()) {
    if (!is.has(key))
      deltas.push({ name: elementName(name, key, keyType), op: 'remove', type: element, value: undefined });
  }
  for (const [key, value] of is) {
    const path = elementName(name, key, keyType);
    if (was.has(key)) compare(path, element, was.get(key), value, rank, deltas);
    else deltas.push({ name: path, op: 'add', type: element, value });
  }
}

/** Elements by their key; undefined when some have none or share one. */
function byKey(array: unknown): Map<string, unknown> | undefined {
  if (!Array.isArray(array)) return undefined;
  const elements = new Map<string, unknown>();
  for (const item of array as unknown[]) {
    const key = elementKey(item);
    if (key === undefined || elements.has(key)) return undefined;
    elements.set(key, item);
  }
  return elements;
}

/** Whether the new list is the old one without the removed, then the added: only that can be said element by element. */
function isKeptInOrder(was: ReadonlyMap<string, unknown>, is: ReadonlyMap<string, unknown>): boolean {
  const kept = [...was.keys()].filter((key) => is.has(key));
  let index = 0;
  for (const key of is.keys()) {
    if (index < kept.length && kept[index++] !== key) return false;
  }
  return true;
}

function elementName(array: string, key: string, keyType: TypeRef): string {
  return isNumberType(keyType) ? `${array}[${key}]` : `${array}["${key.replace(/["\\]/g, '\\$&')}"]`;
}

function isSameType(type: TypeRef, before: unknown, after: unknown): boolean {
  return isDataObject(before) && isDataObject(after) && runtimeType(type, before) === runtimeType(type, after);
}

function isDataObject(value: unknown): value is DataObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function runtimeType(type: TypeRef, value: DataObject): string {
  const name = value['_typeName'];
  return typeof name === 'string' ? name : type.type;
}
