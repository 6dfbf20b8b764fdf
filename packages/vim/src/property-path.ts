// Property paths of the PropertyCollector: `config.hardware.device[4000].backing`, `config.extraConfig["guestinfo.x"]`.

import { MethodFault } from './method-fault.ts';
import { schema, type TypeRef } from './schema.ts';
import { itemOf } from './type-ref.ts';

export interface PathSegment {
  readonly name: string;
  /** `[4000]` is a number, `["x"]` a string: the key of one element of the array `name`. */
  readonly key?: number | string;
}

const SEGMENT = /([A-Za-z_]\w{0,127})(?:\[(?:(-?\d{1,10})|"((?:[^"\\]|\\.)*)")\])?(\.|$)/sy;
const MAX_LENGTH = 4096;

/** The segments of a path; the whole object is the empty path. Throws InvalidProperty for what is no path. */
export function parsePropertyPath(path: string): PathSegment[] {
  if (path === '') return [];
  const segments: PathSegment[] = [];
  SEGMENT.lastIndex = 0;
  let more = path.length <= MAX_LENGTH;
  while (more) {
    const match = SEGMENT.exec(path);
    if (match === null) break;
    const [, name = '', index, text, end] = match;
    if (index !== undefined) segments.push({ name, key: Number(index) });
    else if (text !== undefined) segments.push({ name, key: text.replace(/\\(.)/gs, '$1') });
    else segments.push({ name });
    more = end === '.';
    if (!more) return segments;
  }
  throw new MethodFault('InvalidProperty', { name: path.slice(0, 256) });
}

export function formatPropertyPath(segments: readonly PathSegment[]): string {
  return segments
    .map(({ name, key }) => {
      if (key === undefined) return name;
      return typeof key === 'number' ? `${name}[${key}]` : `${name}["${key.replace(/["\\]/g, '\\$&')}"]`;
    })
    .join('.');
}

/** How elements of an array are told apart: by a `key` property, or by the element itself (strings, enums, morefs' ids). */
export type ArrayKey = { readonly by: 'property'; readonly type: TypeRef } | { readonly by: 'value' };

/** The key of an array's elements; undefined when they have none (data objects without a `key`). */
export function arrayKey(array: TypeRef): ArrayKey | undefined {
  if (array.kind === 'managed' || array.kind === 'enum' || array.kind === 'primitive') return { by: 'value' };
  const key = array.kind === 'data' ? schema.field(array.type, 'key') : undefined;
  return key === undefined ? undefined : { by: 'property', type: key };
}

function keyFits(array: TypeRef, key: number | string): boolean {
  const found = arrayKey(array);
  if (found === undefined) return false;
  const type = found.by === 'property' ? found.type : array;
  const isNumber = type.kind === 'primitive' && ['byte', 'short', 'int', 'long'].includes(type.type);
  return isNumber === (typeof key === 'number');
}

function leafType(managedType: string, segments: readonly PathSegment[]): TypeRef | undefined {
  let owner = managedType;
  let ref: TypeRef | undefined;
  for (const { name, key } of segments) {
    if (ref !== undefined && (ref.kind !== 'data' || ref.array)) return undefined;
    ref = schema.field(owner, name);
    if (ref === undefined) return undefined;
    if (key !== undefined) {
      if (!ref.array || !keyFits(ref, key)) return undefined;
      ref = itemOf(ref);
    }
    owner = ref.type;
  }
  return ref;
}

/**
 * The declared type at the end of a path: what `box` needs. `undefined` means InvalidProperty: no such property, a step
 * into something that is no single data object, or a key of the wrong type. Steps follow declared types, so a property
 * that only a subclass has is not found.
 */
export function resolvePathType(managedType: string, path: string | readonly PathSegment[]): TypeRef | undefined {
  if (typeof path !== 'string') return leafType(managedType, path);
  try {
    return leafType(managedType, parsePropertyPath(path));
  } catch (error) {
    if (error instanceof MethodFault) return undefined;
    throw error;
  }
}
