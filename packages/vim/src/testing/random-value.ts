// Random well-typed vim25 values for property tests, in the exact form that the decoders give.
// Drawn from a seed, not from fast-check arbitraries: a HostConfigInfo would need ten thousand of them.

import { type FieldInfo, schema, type TypeRef } from '../schema.ts';
import { arrayName, itemOf } from '../type-ref.ts';

export interface Draw {
  /** An integer from min to max, both included. */
  integer(min: number, max: number): number;
  pick<T>(list: readonly T[]): T;
}

/** The same seed draws the same values (mulberry32). */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    integer,
    pick(list) {
      const item = list[integer(0, list.length - 1)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
  };
}

const PIECES = [
  'a',
  'Z',
  '0',
  ' ',
  '  ',
  '<',
  '>',
  '&',
  '"',
  "'",
  ']]>',
  '\r',
  '\n',
  '\t',
  'é',
  '😀',
  '\u2028',
  '\u0085',
  '\u007f',
  '&amp;',
];
const SPECIAL_INTEGERS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  byte: [-0x80, 0x7f],
  short: [-0x8000, 0x7fff],
  int: [-0x8000_0000, 0x7fff_ffff],
  long: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};
const DOUBLES = [0, 1, -1, 0.1, -2.5, 1e-7, 1.7976931348623157e308, 5e-324, 123456789.125];

const ANY_PRIMITIVES = [
  'string',
  'boolean',
  'byte',
  'short',
  'int',
  'long',
  'double',
  'dateTime',
  'base64Binary',
  'anyURI',
];
const MANAGED = schema.names('managed');
const ENUMS = schema.names('enum');
/** Types of api/vim25/internal-methods.json: served, but in no documented schema, so that other clients need not know them. */
const INTERNAL: readonly string[] = ['VirtualDiskInfo', 'VirtualDiskInfoUnit', 'DisabledMethodRequest'];
/** Names of the data objects that every client knows. */
export const DATA_OBJECTS = schema.names('data').filter((name) => !INTERNAL.includes(name));
/** A bare fault under `any` travels as a LocalizedMethodFault, so it does not come back as it went: none is drawn there. */
const UNDER_ANY = DATA_OBJECTS.filter((name) => !schema.isSubtype('MethodFault', name));
const STRUCTURES = [...DATA_OBJECTS, ...schema.names('fault')];
const ITEM_TYPES = [
  ...ANY_PRIMITIVES,
  'any',
  'ManagedObjectReference',
  'VirtualDevice',
  'VirtualMachinePowerState',
  'OptionValue',
];

const descendants = new Map<string, string[]>();

function namesBelow(base: string): string[] {
  let names = descendants.get(base);
  if (names === undefined) {
    names = [...STRUCTURES, ...MANAGED].filter((candidate) => schema.isSubtype(candidate, base));
    if (names.length === 0) names = [base]; // a type of internal methods, which is not drawn by itself
    descendants.set(base, names);
  }
  return names;
}

function drawText(draw: Draw): string {
  return Array.from({ length: draw.integer(0, 4) }, () => draw.pick(PIECES)).join('');
}

function drawName(draw: Draw): string {
  return `${draw.pick(['vm', 'host', 'config.hardware', 'x', 'PowerOnVM_Task'])}${draw.integer(0, 99)}`;
}

function drawPrimitive(draw: Draw, type: string): unknown {
  switch (type) {
    case 'string':
      return drawText(draw);
    case 'anyURI':
      return `https://host/${drawName(draw)}`;
    case 'boolean':
      return draw.integer(0, 1) === 1;
    case 'dateTime':
      return new Date(draw.integer(-62_135_596_800_000, 253_402_300_799_999)).toISOString();
    case 'base64Binary':
      return Buffer.from(drawText(draw)).toString('base64');
    case 'float':
    case 'double':
      return draw.pick(DOUBLES);
    case 'typeName':
      return draw.pick(MANAGED);
    default: {
      const range = SPECIAL_INTEGERS[type];
      if (range === undefined) return drawName(draw);
      return draw.pick([0, 1, range[0], range[1], draw.integer(...range)]);
    }
  }
}

function plain(type: string): TypeRef {
  return { type, kind: schema.kindOf(type), array: false, optional: false };
}

function drawReference(draw: Draw, type: string): { type: string; value: string; serverGuid?: string } {
  const candidates = type === 'ManagedObjectReference' ? MANAGED : namesBelow(type);
  const ref = { type: draw.pick(candidates), value: drawName(draw) };
  return draw.integer(0, 9) === 0 ? { ...ref, serverGuid: drawText(draw) } : ref;
}

function drawAny(draw: Draw, depth: number): unknown {
  switch (draw.pick(['primitive', 'enum', 'reference', 'data', 'array'])) {
    case 'primitive': {
      const type = draw.pick(ANY_PRIMITIVES);
      return { _typeName: type, _value: drawPrimitive(draw, type) };
    }
    case 'enum': {
      const type = draw.pick(ENUMS);
      return { _typeName: type, _value: drawOne(draw, plain(type), depth) };
    }
    case 'reference':
      return { _typeName: 'ManagedObjectReference', ...drawReference(draw, 'ManagedObjectReference') };
    case 'data':
      return drawOne(draw, plain(depth > 0 ? draw.pick(UNDER_ANY) : 'KeyValue'), depth - 1);
    default: {
      const item = plain(draw.pick(ITEM_TYPES));
      const items = Array.from({ length: depth > 0 ? draw.integer(0, 3) : 0 }, () => drawOne(draw, item, depth - 1));
      return { _typeName: arrayName(item), _value: items };
    }
  }
}

function drawOne(draw: Draw, ref: TypeRef, depth: number): unknown {
  switch (ref.kind) {
    case 'primitive':
      return drawPrimitive(draw, ref.type);
    case 'enum':
      return draw.pick(schema.enumValues(ref.type) ?? []);
    case 'managed':
      return drawReference(draw, ref.type);
    case 'any':
      return drawAny(draw, depth);
    case 'data':
      return drawStructure(draw, ref.type, depth);
  }
}

function drawStructure(draw: Draw, declared: string, depth: number): unknown {
  const info = schema.data(depth > 0 ? draw.pick(namesBelow(declared)) : declared);
  const value: Record<string, unknown> = { _typeName: info?.name };
  const sparsity = draw.integer(1, 10); // some objects nearly full, most nearly empty
  for (const field of info?.fields ?? []) {
    if (field.optional && (depth <= 0 || draw.integer(0, sparsity) > 0)) continue;
    value[field.name] = drawField(draw, field, depth);
  }
  return value;
}

/** An optional array is never empty: on the wire that is the same as unset. */
function drawField(draw: Draw, field: FieldInfo, depth: number): unknown {
  if (!field.array) return drawOne(draw, field, depth - 1);
  const length = field.optional ? draw.integer(1, 2) : depth > 0 ? draw.integer(0, 2) : 0;
  return Array.from({ length }, () => drawOne(draw, itemOf(field), depth - 1));
}

/** A value of this declared type or one derived from it. */
export function drawValue(draw: Draw, declared: TypeRef, depth = 3): unknown {
  if (!declared.array) return drawOne(draw, declared, depth);
  return Array.from({ length: draw.integer(declared.optional ? 1 : 0, 3) }, () =>
    drawOne(draw, itemOf(declared), depth),
  );
}
