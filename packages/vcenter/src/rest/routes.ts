// The routes of the Automation API in Fastify: one per path and verb, which chooses among its operations by the action.
import { isFault, MethodFault, schema } from '@vivarium/vim';
import { basicCredentials, callOf, prepareScope, SESSION_HEADER, type Service, storeFault } from '@vivarium/vmomi';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { vapiErrorOf } from './fault-errors.ts';
import { type Caller, type Door, type Operation, pathParams } from './operation.ts';
import { readArguments } from './read-arguments.ts';
import type { Form } from './read-value.ts';
import { CHALLENGE, errorBody, message, unauthenticated, VapiError } from './vapi-error.ts';
import { writeValue } from './write-value.ts';

type Choice = { readonly operation: Operation; readonly door: Door };

/** Bytes of a request body. */
export const BODY_LIMIT = 4 << 20;
/** govmomi and the SDKs send it: they keep the session id themselves and want no cookie. */
const HEADER_AUTHENTICATION = 'vmware-use-header-authn';
const SESSION_COOKIE = /(?:^|;\s*)vmware-api-session-id="?([^";,\s]+)/;

/** Serves the operations that have a door of this form below `/rest` or `/api`. */
export function addOperations(
  app: FastifyInstance,
  service: Service,
  operations: readonly Operation[],
  form: Form,
): void {
  const add = (scope: FastifyInstance) => {
    prepareScope(scope, BODY_LIMIT);
    scope.setErrorHandler((error, request, reply) => sendError(service, request, reply, error, form));
    scope.setNotFoundHandler((request, reply) => sendError(service, request, reply, noSuchPath(), form));
    for (const [route, choices] of byRoute(operations, form)) {
      const [method = 'GET', url = ''] = route.split(' ');
      scope.route({
        method,
        url,
        exposeHeadRoute: false, // what is served is what /openapi.json says
        handler: (request, reply) => serve(service, request, reply, choices, form),
      });
    }
  };
  void app.register(
    (scope, _options, done) => {
      add(scope);
      done();
    },
    { prefix: `/${form}` },
  );
}

/**
 * 'POST /cis/tagging/tag/:p0' -> what it may mean, by action. Parameters go by their place: operations of one path may
 * call them differently.
 */
function byRoute(operations: readonly Operation[], form: Form): Map<string, Map<string, Choice>> {
  const routes = new Map<string, Map<string, Choice>>();
  for (const operation of operations) {
    const door = operation.doors[form];
    if (!door) continue;
    // In Fastify's patterns a colon of the path itself is written twice.
    let place = 0;
    const url = door.path.replaceAll(':', '::').replaceAll(/\{[\w-]+\}/g, () => `:p${place++}`);
    const route = `${door.method} ${url}`;
    const choices = routes.get(route) ?? new Map<string, Choice>();
    const action = door.action ?? '';
    if (choices.has(action)) throw new Error(`two operations are served as ${route} ${action}`);
    routes.set(route, choices.set(action, { operation, door }));
  }
  return routes;
}

async function serve(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  choices: ReadonlyMap<string, Choice>,
  form: Form,
): Promise<FastifyReply> {
  const query = new URLSearchParams(request.url.split('?')[1] ?? '');
  const choice = choices.get(query.get('~action') ?? query.get('action') ?? '');
  if (!choice) return sendError(service, request, reply, noSuchPath(), form);
  const { operation, door } = choice;
  try {
    const caller = callerOf(service, request, reply, form);
    if (!operation.isOpen && caller.call.session.isAnonymous) throw unauthenticated();
    const body = request.body instanceof Uint8Array ? request.body : undefined;
    const places = request.params as Readonly<Record<string, string>>;
    const path = Object.fromEntries(pathParams(door.path).map((name, place) => [name, places[`p${place}`] ?? '']));
    const args = readArguments(operation, door, form, { path, query, body });
    const result = await service.sessions.during(caller.call.session, async () => operation.run(args, caller));
    return sendResult(reply, operation, result, form);
  } catch (error) {
    return sendError(service, request, reply, error, form);
  }
}

function callerOf(service: Service, request: FastifyRequest, reply: FastifyReply, form: Form): Caller {
  const header = request.headers[SESSION_HEADER];
  const presented =
    typeof header === 'string' && header !== ''
      ? header.replaceAll('"', '')
      : SESSION_COOKIE.exec(String(request.headers['cookie'] ?? ''))?.[1];
  const newest = schema.versions[0] ?? schema.legacyVersion;
  const call = callOf(
    service,
    request,
    reply,
    newest,
    (session) => {
      if (request.headers[HEADER_AUTHENTICATION] !== undefined) return;
      const cookie = `${SESSION_HEADER}=${session?.id ?? ''}; Path=/${form}; HttpOnly; Secure; SameSite=Strict`;
      void reply.header('set-cookie', session ? cookie : `${cookie}; Max-Age=0`);
    },
    presented ?? '',
  );
  return { call, credentials: basicCredentials(request.headers) };
}

function sendResult(reply: FastifyReply, operation: Operation, result: unknown, form: Form): FastifyReply {
  const { result: shape, creates } = operation;
  if (!shape) return reply.code(form === 'api' ? 204 : 200).send();
  const written = writeValue(shape, result, form);
  void reply.code(form === 'api' && creates ? 201 : 200).type('application/json');
  return reply.send(JSON.stringify(form === 'api' ? written : { value: written }));
}

function sendError(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  form: Form,
): FastifyReply {
  const refusal = asVapiError(service, request, error);
  if (refusal.type === 'unauthenticated') void reply.header('www-authenticate', CHALLENGE);
  const refused = Number((error as { statusCode?: number } | undefined)?.statusCode);
  const status = refused >= 400 && refused < 500 ? refused : refusal.status;
  return reply
    .code(status)
    .type('application/json')
    .send(JSON.stringify(errorBody(refusal, form)));
}

/** Nothing of the inside gets out: what is no refusal is logged, and told as an internal error. */
export function asVapiError({ log }: Service, request: FastifyRequest, error: unknown): VapiError {
  if (error instanceof VapiError) return error;
  if (error instanceof MethodFault && !isFault(error, 'SystemError')) return vapiErrorOf(error);
  const refused = storeFault(error);
  if (refused) log.error({ url: request.url, error }, 'the store refused');
  if (refused) return vapiErrorOf(refused);
  const { statusCode, message: text, stack } = error as { statusCode?: number; message?: string; stack?: string };
  if (statusCode !== undefined && statusCode < 500)
    return new VapiError('invalid_request', message('com.vmware.vapi.rest.httpBadRequest', String(text)));
  const [path] = request.url.split('?');
  log.error({ method: request.method, path, error, stack }, 'a request of the Automation API failed unexpectedly');
  return new VapiError(
    'internal_server_error',
    message('com.vmware.vapi.endpoint.internalServerError', 'Internal server error.'),
  );
}

function noSuchPath(): VapiError {
  return new VapiError('not_found', message('com.vmware.vapi.rest.httpNotFound', 'Not found.'));
}
