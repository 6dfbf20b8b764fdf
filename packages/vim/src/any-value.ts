// Values under `any` say their own type: `{ _typeName: 'long', _value: 5 }`, `{ _typeName: 'ArrayOfInt', _value: [1] }`,
// data objects and references by `_typeName`. Here a value of a known declared type gets, or loses, that form.

import { faultMessage } from './fault-messages.ts';
import { schema } from './schema.ts';
import { arrayName, type DeclaredType, itemOf, typeRef, wireName } from './type-ref.ts';

export interface Boxed {
  readonly _typeName: string;
  readonly _value: unknown;
}

export function isBoxed(value: unknown): value is Boxed {
  return typeof value === 'object' && value !== null && '_typeName' in value && '_value' in value;
}

function boxItem(type: string, kind: string, value: unknown): unknown {
  if (kind === 'any' || typeof value !== 'object' || value === null) return value;
  if (kind === 'managed') return { ...value, _typeName: 'ManagedObjectReference' };
  return '_typeName' in value ? value : { _typeName: type, ...value };
}

/**
 * The form under any of a value whose declared type is known, as the PropertyCollector needs it:
 * `box('VirtualDevice[]', config.hardware.device)`. undefined stays undefined.
 */
export function box(declared: DeclaredType, value: unknown): unknown {
  const ref = typeRef(declared);
  if (value === undefined || value === null) return undefined;
  if (ref.array) {
    const items =
      ref.kind === 'primitive' || ref.kind === 'enum'
        ? value
        : (value as unknown[]).map((item) => boxItem(ref.type, ref.kind, item));
    return { _typeName: arrayName(itemOf(ref)), _value: items };
  }
  if (ref.kind === 'primitive' || ref.kind === 'enum') return { _typeName: wireName(ref), _value: value };
  return boxItem(ref.type, ref.kind, value);
}

/** What is inside a boxed primitive, enum or array; anything else as it is. */
export function unbox(value: unknown): unknown {
  return isBoxed(value) ? value._value : value;
}

/** The boxed form of a bare value under any: strings, booleans and numbers by their look, morefs by their shape. */
export function inferBox(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return { _typeName: 'string', _value: value };
    case 'boolean':
      return { _typeName: 'boolean', _value: value };
    case 'number':
      return { _typeName: numberType(value), _value: value };
    default:
      return inferObject(value);
  }
}

function numberType(value: number): string {
  if (!Number.isInteger(value)) return 'double';
  return value >= -0x8000_0000 && value <= 0x7fff_ffff ? 'int' : 'long';
}

function inferObject(value: unknown): unknown {
  if (Array.isArray(value)) return inferArray(value);
  if (typeof value !== 'object' || value === null) throw new TypeError(`no vim25 form for a ${typeof value} under any`);
  if ('_typeName' in value) return isFaultData(value) ? localized(value) : value;
  if (
    'type' in value &&
    'value' in value &&
    typeof value.type === 'string' &&
    schema.managed(value.type) !== undefined
  ) {
    return { _typeName: 'ManagedObjectReference', ...value };
  }
  throw new TypeError('a data object under any needs a _typeName');
}

function isFaultData(value: object): value is { _typeName: string } {
  return '_typeName' in value && typeof value._typeName === 'string' && schema.data(value._typeName)?.isFault === true;
}

/** A fault never stands bare under any, pyVmomi cannot read it: LocalizedMethodFault is its form in data. */
function localized(fault: { readonly _typeName: string }): unknown {
  const localizedMessage = faultMessage(fault as Parameters<typeof faultMessage>[0]);
  return { _typeName: 'LocalizedMethodFault', fault, localizedMessage };
}

function inferArray(values: readonly unknown[]): Boxed {
  const [first] = values;
  if (values.every((value) => typeof value === 'string')) return { _typeName: 'ArrayOfString', _value: values };
  const items = values.map(inferBox) as { _typeName: string }[];
  const name = typeof first === 'object' ? (items[0]?._typeName ?? '') : '';
  const same = name !== '' && items.every((item) => item._typeName === name);
  return same ? { _typeName: `ArrayOf${name}`, _value: items } : { _typeName: 'ArrayOfAnyType', _value: items };
}
