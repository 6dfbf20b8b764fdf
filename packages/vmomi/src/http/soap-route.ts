// POST /sdk, and the services beside it: SOAP 1.1. Faults are HTTP 500 (vim25.md 1.4, rule 7).
import {
  type ApiVersion,
  encodeSoapFault,
  MethodFault,
  RepeatedRequests,
  type ServiceName,
  schema,
  streamSoapResponse,
  versionOfSoapAction,
} from '@vivarium/vim';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Service } from '../service.ts';
import { callOf } from './call-context.ts';
import { sessionCookie, sessionIdOf } from './cookies.ts';
import { asFault } from './report-failure.ts';
import type { ReplySender } from './send-reply.ts';

const XML = 'text/xml; charset=utf-8';
/** The last is where the WSDL says the service is. */
const PATHS: Readonly<Record<ServiceName, readonly string[]>> = {
  vim25: ['/sdk', '/sdk/', '/sdk/vimService'],
  pbm: ['/pbm', '/pbm/', '/pbm/sdk'], // govmomi, then pyVmomi
};

interface SoapDoor {
  readonly sender: ReplySender;
  readonly door: ServiceName;
  readonly requests: RepeatedRequests;
}

/** `door`: /sdk, or a service beside it. */
export function addSoapRoute(
  app: FastifyInstance,
  service: Service,
  sender: ReplySender,
  door: ServiceName = 'vim25',
): void {
  const errorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const statusCode = Number((error as { statusCode?: number }).statusCode ?? 500);
    const fault =
      statusCode < 500
        ? new MethodFault('InvalidRequest', {}, (error as Error).message)
        : asFault(service.log, error, { url: request.url });
    void sendFault(reply.code(statusCode), fault as MethodFault, versionOfSoapAction(soapAction(request), door));
  };
  const requests = new RepeatedRequests(door);
  const handler = (request: FastifyRequest, reply: FastifyReply) =>
    serve(service, request, reply, { sender, door, requests });
  for (const url of PATHS[door]) app.route({ method: 'POST', url, errorHandler, handler });
  for (const url of PATHS[door].slice(0, 2))
    app.get(url, (_request, reply) => reply.code(405).header('allow', 'POST').send());
}

async function serve(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  { sender, door, requests }: SoapDoor,
): Promise<FastifyReply> {
  const action = soapAction(request);
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  let method: string | undefined;
  try {
    const decoded = requests.decode(body, action);
    ({ method } = decoded);
    request.body = undefined; // it may wait for long
    const presented = sessionIdOf(request.headers) ?? decoded.header.vcSessionCookie;
    const call = callOf(
      service,
      request,
      reply,
      decoded.version,
      (session) => void reply.header('set-cookie', sessionCookie(session?.id)),
      presented,
    );
    const result = await service.invoke(decoded, call);
    const resultType = schema.method(decoded.this.type, decoded.method)?.result ?? 'void';
    return sender.send(request, reply, XML, (sink) =>
      streamSoapResponse(decoded.method, resultType, result, decoded.version, sink, door),
    );
  } catch (error) {
    return sendFault(reply.code(500), asFault(service.log, error, { method }), versionOfSoapAction(action, door));
  }
}

function sendFault(reply: FastifyReply, fault: MethodFault, version: ApiVersion): FastifyReply {
  return reply.type(XML).send(encodeSoapFault(fault, version));
}

function soapAction({ headers }: FastifyRequest): string | undefined {
  const action = headers['soapaction'];
  return typeof action === 'string' ? action : undefined;
}
