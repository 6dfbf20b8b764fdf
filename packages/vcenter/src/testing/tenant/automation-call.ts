// For tests: an operation of the Automation API with random arguments, called below /rest, below /api or by JSON-RPC.
import { fetchFrom, type Tenant } from '@vivarium/vmomi/testing/tenant';
import { encodedValue } from '../../rest/data-value.ts';
import { type Operation, pathParams } from '../../rest/operation.ts';
import type { ShapeData, Struct } from '../../rest/shape.ts';
import type { Input } from './automation-needs.ts';
import type { World } from './world.ts';

export type Form = 'rest' | 'api' | 'JSON-RPC';
export const FORMS: readonly Form[] = ['rest', 'api', 'JSON-RPC'];

/** What an operation said: its error, or its result. */
export interface Answered {
  /** 'unauthorized', 'not_found', … as the API names them. */
  readonly error: string | undefined;
  readonly text: string;
}

/** What there is besides the inventory for arguments to name. */
export interface Names {
  readonly tag: string;
  readonly category: string;
}

/** Optional fields that are given: what a call is about. */
const GIVEN: ReadonlySet<string> = new Set([
  'name',
  'placement',
  'folder',
  'resource_pool',
  'datastore',
  'datastore_path',
  'force',
  'description',
]);

export function randomInput(world: World, { params }: Operation, names: Names): Input {
  return fieldsOf(world, params, names);
}

function fieldsOf(world: World, fields: Readonly<Record<string, ShapeData>>, names: Names): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(fields)) {
    if (name === 'filter' || (shape.kind === 'optional' && !GIVEN.has(name))) continue;
    made[name] = valueOf(world, shape.kind === 'optional' ? shape.item : shape, name, names);
  }
  return made;
}

function valueOf(world: World, shape: ShapeData, name: string, names: Names): unknown {
  const { draw } = world;
  switch (shape.kind) {
    case 'struct': {
      if (shape.name !== 'com.vmware.vapi.std.dynamic_ID') return fieldsOf(world, shape.fields, names);
      const { type, value } = draw.pick(world.entities());
      return { type, id: value };
    }
    case 'list':
    case 'set':
      return name === 'associable_types' ? [] : [valueOf(world, shape.item, name, names)];
    case 'map':
      return {};
    case 'optional':
      return valueOf(world, shape.item, name, names);
    case 'enum':
      return draw.pick(shape.values);
    case 'integer':
      return 1 + draw.below(4);
    case 'boolean':
      return draw.below(2) === 0;
    case 'datetime':
      return new Date(0).toISOString();
    case 'id':
      if (shape.resource.endsWith('.Tag')) return names.tag;
      if (shape.resource.endsWith('.Category')) return names.category;
      return entityId(world, shape.resource);
    default:
      if (name === 'datastore_path') return `[shared] DC0-vm0/DC0-vm0.vmx`;
      return `x${draw.below(1_000_000)}`;
  }
}

function entityId(world: World, resource: string): string {
  const types = resource === 'ResourcePool' ? ['ResourcePool', 'VirtualApp'] : [resource];
  const fitting = world.entities().filter(({ type }) => types.includes(type));
  return fitting.length > 0 ? world.draw.pick(fitting).value : 'none-1';
}

/** Undefined where the operation is not served so. */
export async function call(
  world: World,
  who: Tenant,
  operation: Operation,
  input: Input,
  form: Form,
): Promise<Answered | undefined> {
  if (form === 'JSON-RPC') return callByRpc(world, who, operation, input);
  const door = operation.doors[form];
  if (!door) return undefined;
  const inPath = pathParams(door.path);
  const path = door.path.replaceAll(/\{([\w-]+)\}/g, (_, name: string) => encodeURIComponent(String(input[name])));
  const rest = Object.entries(input).filter(([name]) => !inPath.includes(name));
  const query = new URLSearchParams(
    door.action === undefined ? {} : { [form === 'rest' ? '~action' : 'action']: door.action },
  );
  const hasBody = door.method !== 'GET' && door.method !== 'DELETE';
  if (!hasBody) for (const [name, value] of rest) query.set(name, String(value));
  const body = door.body === undefined ? Object.fromEntries(rest) : (input[door.body] as object);
  const url = `/${form}${path}${query.size > 0 ? `?${query}` : ''}`;
  const { status, text } = await fetchFrom(world, who, door.method, url, hasBody ? body : undefined);
  const names: Readonly<Record<number, string>> = { 401: 'unauthenticated', 403: 'unauthorized', 404: 'not_found' };
  return { error: status < 300 ? undefined : (names[status] ?? String(status)), text };
}

async function callByRpc(world: World, who: Tenant, operation: Operation, input: Input): Promise<Answered> {
  const shape = { kind: 'struct', name: 'operation-input', fields: operation.params } as const;
  const params = {
    serviceId: operation.service,
    operationId: operation.name,
    input: encodedValue(shape, input as Struct<Operation['params']>),
    ctx: { securityCtx: { schemeId: 'com.vmware.vapi.std.security.session_id', sessionId: who.session.id } },
  };
  const request = { jsonrpc: '2.0', id: '1', method: 'invoke', params };
  const { body, text } = await fetchFrom(world, who, 'POST', '/api', request);
  const { result, error } = body as { result?: { error?: { ERROR: object } }; error?: object };
  if (error) throw new Error(`JSON-RPC does not take it: ${text}`);
  const [named] = Object.keys(result?.error?.ERROR ?? {});
  return { error: named?.replace('com.vmware.vapi.std.errors.', ''), text };
}
