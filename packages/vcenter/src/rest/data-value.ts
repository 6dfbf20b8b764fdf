// vAPI's own encoding of values, as JSON-RPC carries it: what JSON cannot tell apart is wrapped in an object that names it.
//   {"OPTIONAL": value or null}   {"STRUCTURE": {name: fields}}   {"SECRET": text}   {"ERROR": {name: fields}}
// Maps are lists of structures with key and value. Pure.
import type { ShapeData } from './shape.ts';
import { message, VapiError } from './vapi-error.ts';

/** Deeper than any input here. */
const MOST_LEVELS = 32;

/** The plain value in an encoded one: as /rest has it in JSON. Error: invalid_argument. */
export function plainValue(encoded: unknown, level = 0): unknown {
  if (level > MOST_LEVELS) throw malformed('the value is nested too deeply');
  if (Array.isArray(encoded)) return encoded.map((item) => plainValue(item, level + 1));
  if (typeof encoded !== 'object' || encoded === null) return encoded;
  const [[kind, value] = ['', undefined], ...more] = Object.entries(encoded) as [string, unknown][];
  if (more.length > 0) throw malformed('a value names more than one type');
  switch (kind) {
    case 'OPTIONAL':
      return value === null ? undefined : plainValue(value, level + 1);
    case 'SECRET':
      return value;
    case 'STRUCTURE':
      return plainFields(value, level);
    default:
      throw malformed(`values of the type ${kind.slice(0, 32)} are not taken`);
  }
}

function plainFields(named: unknown, level: number): object {
  const [fields, ...more] = typeof named === 'object' && named !== null ? Object.values(named) : [];
  if (more.length > 0 || typeof fields !== 'object' || fields === null) throw malformed('a structure has one name');
  return Object.fromEntries(
    Object.entries(fields as object).map(([name, field]) => [name, plainValue(field, level + 1)]),
  );
}

/** A value of our own, encoded by its shape. */
export function encodedValue(shape: ShapeData, value: unknown): unknown {
  switch (shape.kind) {
    case 'optional':
      return { OPTIONAL: value === undefined ? null : encodedValue(shape.item, value) };
    case 'secret':
      return { SECRET: value };
    case 'list':
    case 'set':
      return (value as readonly unknown[]).map((item) => encodedValue(shape.item, item));
    case 'map':
      return Object.entries(value as object).map(([key, item]) =>
        structure('map-entry', { key, value: encodedValue(shape.item, item) }),
      );
    case 'struct': {
      const object = value as Readonly<Record<string, unknown>>;
      const fields = Object.entries(shape.fields).map(([name, field]) => [name, encodedValue(field, object[name])]);
      return structure(shape.name, Object.fromEntries(fields) as object);
    }
    default:
      return value;
  }
}

export function encodedError({ type, messages }: VapiError): unknown {
  const shown = messages.map(({ id, default_message, args }) =>
    structure('com.vmware.vapi.std.localizable_message', { id, default_message, args }),
  );
  const fields = { messages: shown, data: { OPTIONAL: null }, error_type: { OPTIONAL: type.toUpperCase() } };
  return { ERROR: { [`com.vmware.vapi.std.errors.${type}`]: fields } };
}

function structure(name: string, fields: object): unknown {
  return { STRUCTURE: { [name]: fields } };
}

function malformed(text: string): VapiError {
  return new VapiError('invalid_argument', message('vapi.data.invalid', `The input cannot be read: ${text}.`));
}
