// VI/JSON: POST /sdk/vim25/{release}/{moType}/{moId}/{method} and GET …/{property}.
// A fault is HTTP 500 with the fault as body, whatever it is (vi-json.yaml answers so for all of them); what names no
// release, type, method or property at all is 404, a body that is no JSON object 400.
import {
  type ApiVersion,
  decodeJsonArgs,
  encodeJson,
  isFault,
  MethodFault,
  moRef,
  nearestVersion,
  schema,
  streamJson,
  type TypeRef,
} from '@vivarium/vim';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Call } from '../call.ts';
import type { Service } from '../service.ts';
import { callOf } from './call-context.ts';
import { SESSION_HEADER, sessionCookie } from './cookies.ts';
import { asFault } from './report-failure.ts';
import type { ReplySender } from './send-reply.ts';

interface Params {
  readonly release: string;
  readonly moType: string;
  readonly moId: string;
  readonly member: string;
}

type Served = { readonly type: TypeRef; readonly value: unknown };

const JSON_TYPE = 'application/json; charset=utf-8';
const URL_PATTERN = '/sdk/vim25/:release/:moType/:moId/:member';

export function addJsonRoute(app: FastifyInstance, service: Service, sender: ReplySender): void {
  const errorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const statusCode = Number((error as { statusCode?: number }).statusCode ?? 500);
    const fault =
      statusCode < 500
        ? new MethodFault('InvalidRequest', {}, (error as Error).message)
        : asFault(service.log, error, { url: request.url });
    void sendFault(reply, fault as MethodFault, newest(), statusCode);
  };
  app.post<{ Params: Params }>(URL_PATTERN, { errorHandler }, (request, reply) => {
    const body = parseBody(request.body);
    if (body === undefined) {
      return sendFault(reply, new MethodFault('InvalidRequest', {}, 'the body is not JSON'), newest(), 400);
    }
    return answer(service, request, reply, sender, (call) => callMethod(service, request.params, body, call));
  });
  app.get<{ Params: Params }>(URL_PATTERN, { errorHandler }, (request, reply) =>
    answer(service, request, reply, sender, (call) => readProperty(service, request.params, call)),
  );
}

async function answer(
  service: Service,
  request: FastifyRequest<{ Params: Params }>,
  reply: FastifyReply,
  sender: ReplySender,
  serve: (call: Call) => Promise<Served>,
): Promise<FastifyReply> {
  const version = nearestVersion(request.params.release);
  const { moType } = request.params;
  if (!version || !schema.managed(moType) || schema.serviceOf(moType) !== 'vim25') return reply.code(404).send();
  const call = callOf(service, request, reply, version, (session) => {
    reply.header('set-cookie', sessionCookie(session?.id));
    if (session) reply.header(SESSION_HEADER, session.id);
  });
  try {
    const { type, value } = await serve(call);
    if (value === undefined || value === null || (type.type === 'void' && !type.array)) return reply.code(204).send();
    return sender.send(request, reply, JSON_TYPE, (sink) => streamJson(type, value, version, sink));
  } catch (error) {
    if (isFault(error, 'MethodNotFound') || isFault(error, 'InvalidProperty'))
      return sendFault(reply, error, version, 404);
    return sendFault(reply, asFault(service.log, error, { url: request.url }), version);
  }
}

async function callMethod(
  service: Service,
  { moType, moId, member }: Params,
  body: unknown,
  call: Call,
): Promise<Served> {
  const info = schema.method(moType, member);
  const self = moRef(moType as 'ServiceInstance', moId);
  if (!info || info.name === 'Fetch') throw new MethodFault('MethodNotFound', { receiver: self, method: member });
  const args = decodeJsonArgs(moType, member, body, schema.rank(call.version));
  return { type: info.result, value: await service.invoke({ this: self, method: member, args }, call) };
}

/** Through the dispatch as any other read: `Fetch` checks the property and its privilege. */
async function readProperty(service: Service, { moType, moId, member }: Params, call: Call): Promise<Served> {
  const field = schema.field(moType, member);
  if (!field) throw new MethodFault('InvalidProperty', { name: member });
  const self = moRef(moType as 'ServiceInstance', moId);
  const fetched = await service.invoke({ this: self, method: 'Fetch', args: { prop: member } }, call);
  // Fetch boxes for `any`; here the declared type is known and primitives and arrays go bare.
  return { type: field, value: isBoxed(fetched) ? fetched._value : fetched };
}

function isBoxed(value: unknown): value is { readonly _value: unknown } {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '_value');
}

/** Undefined when it is no JSON. */
function parseBody(body: unknown): unknown {
  if (!(body instanceof Uint8Array) || body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function sendFault(reply: FastifyReply, fault: MethodFault, version: ApiVersion, statusCode = 500): FastifyReply {
  const message = { _typeName: 'LocalizableMessage', key: fault.fault._typeName, message: fault.message };
  const described = { faultMessage: [message], ...fault.fault };
  const encoded = encodeJson('MethodFault', described, version);
  return reply.code(statusCode).type(JSON_TYPE).send(JSON.stringify(encoded));
}

function newest(): ApiVersion {
  return schema.versions[0] as ApiVersion;
}
