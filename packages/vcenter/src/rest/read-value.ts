// Arguments from JSON and from query strings, checked against their shapes. Refuses with the errors that vAPI has for it.
import type { ShapeData, StructData } from './shape.ts';
import { message, VapiError } from './vapi-error.ts';

export type Form = 'rest' | 'api';

/** Characters of one string and items of one list: far beyond what anything here holds. */
const MOST_CHARACTERS = 1 << 16;
const MOST_ITEMS = 50_000;

/** The value of a shape from JSON. `where` names it in errors: 'spec.name'. */
export function readValue(shape: ShapeData, value: unknown, form: Form, where: string): unknown {
  switch (shape.kind) {
    case 'optional':
      return value === undefined || value === null ? undefined : readValue(shape.item, value, form, where);
    case 'string':
    case 'secret':
    case 'id':
      if (typeof value !== 'string') throw wrongType(where, 'a string');
      if (value.length > MOST_CHARACTERS) throw wrongType(where, `at most ${MOST_CHARACTERS} characters`);
      return value;
    case 'integer':
      if (!Number.isSafeInteger(value)) throw wrongType(where, 'a whole number');
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongType(where, 'true or false');
      return value;
    case 'datetime':
      if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) throw wrongType(where, 'a time in ISO 8601');
      return value;
    case 'enum':
      if (typeof value !== 'string' || !shape.values.includes(value))
        throw wrongType(where, `one of ${shape.values.length > 12 ? shape.name : shape.values.join(', ')}`);
      return value;
    case 'list':
    case 'set': {
      if (!Array.isArray(value)) throw wrongType(where, 'a list');
      if (value.length > MOST_ITEMS) throw wrongType(where, `at most ${MOST_ITEMS} items`);
      const items = value.map((item, index) => readValue(shape.item, item, form, `${where}[${index}]`));
      return shape.kind === 'set' ? [...new Set(items)] : items;
    }
    case 'map':
      return readMap(shape.item, value, form, where);
    case 'struct':
      return readStruct(shape, value, form, where);
  }
}

/** Fields that are not the struct's are refused: a misspelt one must not be taken for one that is unset. */
export function readStruct(shape: StructData, value: unknown, form: Form, where: string): Record<string, unknown> {
  if (!isObject(value)) throw wrongType(where, 'an object');
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(shape.fields, name));
  if (unknown !== undefined) throw unexpectedField(shape.name, unknown);
  const read: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(shape.fields)) {
    const sent = Object.hasOwn(value, name) ? value[name] : undefined;
    if (sent === undefined && field.kind !== 'optional') throw missingField(shape.name, name);
    const found = readValue(field, sent, form, where === '' ? name : `${where}.${name}`);
    if (found !== undefined) read[name] = found;
  }
  return read;
}

/** The values of one query parameter. */
export function readQuery(shape: ShapeData, values: readonly string[], where: string): unknown {
  switch (shape.kind) {
    case 'optional':
      return values.length === 0 ? undefined : readQuery(shape.item, values, where);
    case 'list':
    case 'set':
      return readValue(
        shape,
        values.map((value) => scalar(shape.item, value)),
        'api',
        where,
      );
    default:
      if (values.length > 1) throw wrongType(where, 'one value');
      return readValue(shape, scalar(shape, values[0] ?? ''), 'api', where);
  }
}

function scalar(shape: ShapeData, value: string): unknown {
  if (shape.kind === 'integer' && /^-?\d+$/.test(value)) return Number(value);
  if (shape.kind === 'boolean' && /^(true|false)$/.test(value)) return value === 'true';
  return value;
}

/** /rest writes maps as lists of key and value, /api as objects. */
function readMap(item: ShapeData, value: unknown, form: Form, where: string): Record<string, unknown> {
  const entries = form === 'rest' && Array.isArray(value) ? value.map((one) => keyAndValue(one, where)) : undefined;
  if (!entries && !isObject(value)) throw wrongType(where, 'a map');
  const read = Object.create(null) as Record<string, unknown>;
  for (const [key, one] of entries ?? Object.entries(value as object))
    read[key] = readValue(item, one, form, `${where}[${key}]`);
  return read;
}

function keyAndValue(entry: unknown, where: string): [string, unknown] {
  if (!isObject(entry) || typeof entry['key'] !== 'string') throw wrongType(where, 'a list of keys with values');
  return [entry['key'], entry['value']];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongType(where: string, wanted: string): VapiError {
  const name = where === '' ? 'the body' : where.slice(0, 128);
  const text = `Could not convert field '${name}': it has to be ${wanted}.`;
  return new VapiError('invalid_argument', message('vapi.bindings.typeconverter.invalid', text, name));
}

export function missingField(structure: string, field: string): VapiError {
  const text = `Structure '${structure}' is missing a field '${field}'`;
  return new VapiError('invalid_argument', message('vapi.data.structure.field.missing', text, structure, field));
}

export function unexpectedField(structure: string, field: string): VapiError {
  const name = field.slice(0, 128);
  const text = `Structure '${structure}' has no field '${name}'`;
  return new VapiError('unexpected_input', message('vapi.data.structure.field.extra', text, structure, name));
}
