// The operations as an OpenAPI 3.0.3 document: made of the very table that serves them, so that both cannot differ. Pure.
// As in vCenter's own documents, an action stands behind its path: '/api/vcenter/vm/{vm}/power?action=start'.
import { type Door, type Operation, pathParams } from './operation.ts';
import { queryFields } from './read-arguments.ts';
import type { Form } from './read-value.ts';
import type { ShapeData, StructData } from './shape.ts';
import { localizableMessage } from './standard-shapes.ts';
import { statusOf, VAPI_ERROR_TYPES, type VapiErrorType } from './vapi-error.ts';

type Json = Record<string, unknown>;

const FORMS: readonly Form[] = ['rest', 'api'];
const SESSION = 'session';
const BASIC = 'basic';

/** `version` is the product's. */
export function openApiDocument(operations: readonly Operation[], version: string): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  for (const form of FORMS) {
    for (const operation of operations) {
      const door = operation.doors[form];
      if (!door) continue;
      const path = openApiPath(door, form);
      paths[path] = { ...paths[path], [door.method.toLowerCase()]: describe(operation, door, form, schemas) };
    }
  }
  return {
    openapi: '3.0.3',
    info: {
      title: 'Vivarium vCenter Automation API',
      version,
      description: 'What is served below /rest (answers wrapped in "value") and below /api (bare answers).',
    },
    paths,
    components: {
      schemas: schemas.all(),
      securitySchemes: {
        [SESSION]: { type: 'apiKey', in: 'header', name: 'vmware-api-session-id' },
        [BASIC]: { type: 'http', scheme: 'basic' },
      },
    },
  };
}

/** The path under which the document has an operation. */
export function openApiPath({ path, action }: Door, form: Form): string {
  if (action === undefined) return `/${form}${path}`;
  return `/${form}${path}?${form === 'rest' ? '~action' : 'action'}=${action}`;
}

function describe(operation: Operation, door: Door, form: Form, schemas: Schemas): Json {
  const { service, name, summary, params, isOpen } = operation;
  const inPath = pathParams(door.path);
  const others = Object.entries(params).filter(([param]) => !inPath.includes(param));
  const hasBody = door.method !== 'GET' && door.method !== 'DELETE';
  const parameters = [
    ...inPath.map((param) => ({
      name: param,
      in: 'path',
      required: true,
      schema: schemas.of(params[param] ?? { kind: 'string' }, form),
    })),
    ...(hasBody ? [] : queryFields(others, form)).map(({ key, shape }) => ({
      name: key,
      in: 'query',
      required: shape.kind !== 'optional',
      schema: schemas.of(shape, form),
    })),
  ];
  return {
    operationId: `${form}_${service}.${name}${door.action === 'get' ? '_by_action' : ''}`,
    tags: [service],
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(hasBody && others.length > 0 ? { requestBody: requestBody(operation, door, form, schemas) } : {}),
    responses: responses(operation, form, schemas),
    security: [isOpen ? { [BASIC]: [] } : { [SESSION]: [] }],
  };
}

function requestBody({ service, name, params }: Operation, door: Door, form: Form, schemas: Schemas): Json {
  const inPath = pathParams(door.path);
  const fields = Object.fromEntries(Object.entries(params).filter(([param]) => !inPath.includes(param)));
  const whole: StructData = { kind: 'struct', name: `${service}.${name}`, fields };
  const shape = door.body === undefined ? whole : (params[door.body] ?? whole);
  const schema = shape === whole ? schemas.inline(whole, form) : schemas.of(shape, form);
  const required =
    shape === whole ? Object.values(fields).some(({ kind }) => kind !== 'optional') : shape.kind !== 'optional';
  return { required, content: { 'application/json': { schema } } };
}

function responses({ result, creates, errors }: Operation, form: Form, schemas: Schemas): Json {
  const byStatus = new Map<number, VapiErrorType[]>();
  for (const type of new Set<VapiErrorType>([
    ...errors,
    'internal_server_error',
    'unexpected_input',
    'invalid_request',
  ]))
    byStatus.set(statusOf(type), [...(byStatus.get(statusOf(type)) ?? []), type]);
  const refusals = Array.from(byStatus, ([status, types]) => [
    String(status),
    { description: types.join(', '), content: { 'application/json': { schema: schemas.error(form) } } },
  ]);
  return { ...success(result, creates, form, schemas), ...(Object.fromEntries(refusals) as Json) };
}

function success(result: ShapeData | undefined, creates: boolean, form: Form, schemas: Schemas): Json {
  if (!result) return { [form === 'api' ? '204' : '200']: { description: 'Done.' } };
  const value = schemas.of(result, form);
  const schema = form === 'api' ? value : object({ value }, ['value']);
  const status = form === 'api' && creates ? '201' : '200';
  return { [status]: { description: 'The answer.', content: { 'application/json': { schema } } } };
}

/** Named structures and enumerations, each once per form: maps are written differently below /rest. */
class Schemas {
  readonly #schemas = new Map<string, Json>();

  all(): Json {
    return Object.fromEntries([...this.#schemas].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  of(shape: ShapeData, form: Form): Json {
    switch (shape.kind) {
      case 'optional':
        return this.of(shape.item, form);
      case 'string':
      case 'id':
        return { type: 'string' };
      case 'secret':
        return { type: 'string', format: 'password' };
      case 'datetime':
        return { type: 'string', format: 'date-time' };
      case 'integer':
        return { type: 'integer', format: 'int64' };
      case 'boolean':
        return { type: 'boolean' };
      case 'enum':
        return this.#named(shape.name, form, () => ({ type: 'string', enum: [...shape.values] }));
      case 'list':
        return { type: 'array', items: this.of(shape.item, form) };
      case 'set':
        return { type: 'array', uniqueItems: true, items: this.of(shape.item, form) };
      case 'map':
        return form === 'api'
          ? { type: 'object', additionalProperties: this.of(shape.item, form) }
          : {
              type: 'array',
              items: object({ key: { type: 'string' }, value: this.of(shape.item, form) }, ['key', 'value']),
            };
      case 'struct':
        return this.#named(shape.name, form, () => this.inline(shape, form));
    }
  }

  inline({ fields }: StructData, form: Form): Json {
    const properties = Object.entries(fields).map(([name, field]) => [name, this.of(field, form)]);
    const required = Object.entries(fields).flatMap(([name, field]) => (field.kind === 'optional' ? [] : [name]));
    return object(Object.fromEntries(properties) as Json, required);
  }

  error(form: Form): Json {
    return this.#named('com.vmware.vapi.std.errors.error', form, () => {
      const body = object(
        {
          error_type: { type: 'string', enum: VAPI_ERROR_TYPES.map((type) => type.toUpperCase()) },
          messages: { type: 'array', items: this.of(localizableMessage, form) },
          challenge: { type: 'string' },
        },
        ['error_type', 'messages'],
      );
      if (form === 'api') return body;
      const names = VAPI_ERROR_TYPES.map((type) => `com.vmware.vapi.std.errors.${type}`);
      return object({ type: { type: 'string', enum: names }, value: body }, ['type', 'value']);
    });
  }

  #named(name: string, form: Form, make: () => Json): Json {
    const key = `${form}.${name}`;
    if (!this.#schemas.has(key)) this.#schemas.set(key, make());
    return { $ref: `#/components/schemas/${key}` };
  }
}

function object(properties: Json, required: readonly string[]): Json {
  return { type: 'object', properties, additionalProperties: false, ...(required.length > 0 ? { required } : {}) };
}
