// An HTTP request as the arguments of an operation.
//   path       names in braces
//   query      GET and DELETE; a struct's fields stand there by themselves (/api: names=a) or behind its name (/rest:
//              filter.names=a, filter.names.1=a)
//   body       everything else, as one object, or one parameter alone (Door.body)
import { type Door, type Operation, pathParams } from './operation.ts';
import { type Form, missingField, readQuery, readStruct, readValue, unexpectedField } from './read-value.ts';
import type { ShapeData, StructData } from './shape.ts';
import { message, VapiError } from './vapi-error.ts';

export interface RequestParts {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Uint8Array | undefined;
}

type Args = Record<string, unknown>;

export function readArguments(operation: Operation, door: Door, form: Form, parts: RequestParts): Args {
  const { params } = operation;
  const inPath = pathParams(door.path);
  const args: Args = {};
  for (const name of inPath) args[name] = readValue(params[name] ?? { kind: 'string' }, parts.path[name], form, name);
  const others = Object.entries(params).filter(([name]) => !inPath.includes(name));
  const hasBody = door.method !== 'GET' && door.method !== 'DELETE';
  const unasked = unreadQuery(parts.query, hasBody ? [] : others, form);
  if (unasked !== undefined) throw unexpectedField(operationName(operation), unasked);
  if (!hasBody) return { ...args, ...readFromQuery(others, form, parts.query) };
  const body = parseBody(parts.body);
  if (door.body !== undefined) {
    const shape = params[door.body] ?? { kind: 'string' };
    if (body === undefined && shape.kind !== 'optional') throw missingField(operationName(operation), door.body);
    return { ...args, [door.body]: readValue(shape, body, form, '') };
  }
  const fields = Object.fromEntries(others);
  const shape: StructData = { kind: 'struct', name: operationName(operation), fields };
  return { ...args, ...readStruct(shape, withoutRepeated(body ?? {}, args), form, '') };
}

function operationName({ service, name }: Operation): string {
  return `${service}.${name}`;
}

/** Undefined when there is none; `null` is none too (govmomi). */
function parseBody(body: Uint8Array | undefined): unknown {
  if (!body || body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) ?? undefined;
  } catch {
    throw new VapiError('invalid_request', message('com.vmware.vapi.rest.httpBadRequest', 'The body is not JSON.'));
  }
}

/** govmomi repeats in the body what stands in the path. */
function withoutRepeated(body: unknown, inPath: Args): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => !(Object.hasOwn(inPath, name) && inPath[name] === value)),
  );
}

type Param = readonly [name: string, shape: ShapeData];

interface QueryField {
  readonly key: string;
  readonly shape: ShapeData;
  /** Where its value goes. */
  readonly param: string;
  readonly field: string | undefined;
}

/** All query parameters that these parameters of an operation may be written as. */
export function queryFields(params: readonly Param[], form: Form): QueryField[] {
  return params.flatMap(([param, shape]): QueryField[] => {
    const inner = shape.kind === 'optional' ? shape.item : shape;
    if (inner.kind !== 'struct') return [{ key: param, shape, param, field: undefined }];
    return Object.entries(inner.fields).map(([field, fieldShape]) => ({
      key: form === 'rest' ? `${param}.${field}` : field,
      shape: fieldShape,
      param,
      field,
    }));
  });
}

function readFromQuery(params: readonly Param[], form: Form, query: URLSearchParams): Args {
  const args: Args = {};
  for (const { key, shape, param, field } of queryFields(params, form)) {
    const values = Array.from(query).flatMap(([name, value]) => (baseKey(name) === key ? [value] : []));
    if (values.length === 0 && shape.kind !== 'optional') throw missingField(param, key);
    const value = readQuery(shape, values, key);
    if (value === undefined) continue;
    if (field === undefined) args[param] = value;
    else args[param] = { ...(args[param] as Args | undefined), [field]: value };
  }
  return args;
}

/** A query parameter that means nothing here. */
function unreadQuery(query: URLSearchParams, params: readonly Param[], form: Form): string | undefined {
  const known = new Set(queryFields(params, form).map(({ key }) => key));
  return [...query.keys()].find((key) => key !== 'action' && key !== '~action' && !known.has(baseKey(key)));
}

/** 'filter.names.1' is 'filter.names'. */
function baseKey(key: string): string {
  return key.replace(/\.\d+$/, '');
}
