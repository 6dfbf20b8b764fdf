// POST /api: JSON-RPC 2.0, the protocol that VMware's SDKs for Python, Java and .NET speak unless told otherwise. The same
// operations as below /rest and /api; who calls is said in the request's context, not in headers.
import { schema } from '@vivarium/vim';
import { callOf, prepareScope, type Service } from '@vivarium/vmomi';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { encodedError, encodedValue, plainValue } from './data-value.ts';
import type { Caller, Operation } from './operation.ts';
import { readStruct } from './read-value.ts';
import { asVapiError, BODY_LIMIT } from './routes.ts';
import { message, unauthenticated, VapiError } from './vapi-error.ts';

/** What the protocol itself refuses (JSON-RPC 2.0, "Error object"). */
const PARSE_ERROR = { code: -32_700, message: 'Parse error.' };
const INVALID_REQUEST = { code: -32_600, message: 'Invalid Request.' };
const METHOD_NOT_FOUND = { code: -32_601, message: 'Method not found.' };

const SESSION_SCHEME = 'com.vmware.vapi.std.security.session_id';
const PASSWORD_SCHEME = 'com.vmware.vapi.std.security.user_pass';

interface Invocation {
  readonly serviceId: string;
  readonly operationId: string;
  readonly input: unknown;
  readonly securityCtx: Readonly<Record<string, unknown>>;
}

export function addJsonRpc(app: FastifyInstance, service: Service, operations: readonly Operation[]): void {
  const byName = new Map<string, Operation>();
  // Where an operation has several forms, the first is the one that the SDKs know.
  for (const operation of operations) {
    const key = `${operation.service} ${operation.name}`;
    if (!byName.has(key)) byName.set(key, operation);
  }
  void app.register((scope, _options, done) => {
    prepareScope(scope, BODY_LIMIT);
    scope.post('/api', (request, reply) => answer(service, request, reply, byName));
    done();
  });
}

async function answer(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  operations: ReadonlyMap<string, Operation>,
): Promise<FastifyReply> {
  const body = parse(request.body);
  const { id = null, method, params } = fieldsOf(body);
  const send = (outcome: object) =>
    reply.type('application/json').send(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
  if (body === undefined) return send({ error: PARSE_ERROR });
  if (method !== 'invoke') return send({ error: METHOD_NOT_FOUND });
  const invocation = invocationOf(params);
  if (!invocation) return send({ error: INVALID_REQUEST });
  try {
    return send({ result: { output: await invoke(service, request, reply, operations, invocation) } });
  } catch (error) {
    return send({ result: { error: encodedError(asVapiError(service, request, error)) } });
  }
}

async function invoke(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  operations: ReadonlyMap<string, Operation>,
  { serviceId, operationId, input, securityCtx }: Invocation,
): Promise<unknown> {
  const operation = operations.get(`${serviceId} ${operationId}`);
  if (!operation) throw noSuchOperation(serviceId, operationId);
  const caller = callerOf(service, request, reply, securityCtx);
  if (!operation.isOpen && caller.call.session.isAnonymous) throw unauthenticated();
  const shape = { kind: 'struct', name: 'operation-input', fields: operation.params } as const;
  const args = readStruct(shape, plainValue(input) ?? {}, 'rest', '');
  const result = await service.sessions.during(caller.call.session, async () => operation.run(args, caller));
  return operation.result ? encodedValue(operation.result, result) : null;
}

function callerOf(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  { schemeId, sessionId, userName, password }: Invocation['securityCtx'],
): Caller {
  const newest = schema.versions[0] ?? schema.legacyVersion;
  const presented = schemeId === SESSION_SCHEME ? String(sessionId) : '';
  const call = callOf(service, request, reply, newest, () => undefined, presented);
  const isPassword = schemeId === PASSWORD_SCHEME && typeof userName === 'string' && typeof password === 'string';
  return { call, credentials: isPassword ? { userName, password } : undefined };
}

function invocationOf(params: unknown): Invocation | undefined {
  const { serviceId, operationId, input, ctx } = fieldsOf(params);
  if (typeof serviceId !== 'string' || typeof operationId !== 'string') return undefined;
  return { serviceId, operationId, input, securityCtx: fieldsOf(fieldsOf(ctx)['securityCtx']) };
}

function parse(body: unknown): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body as Uint8Array)) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Of an object; none of anything else. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function noSuchOperation(service: string, name: string): VapiError {
  const [shownService, shownName] = [service.slice(0, 128), name.slice(0, 128)];
  const text = `There is no operation ${shownName} of ${shownService}.`;
  return new VapiError(
    'operation_not_found',
    message('vapi.method.input.invalid.method', text, shownService, shownName),
  );
}
