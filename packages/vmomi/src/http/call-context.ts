// One HTTP request as a Call.
import type { ApiVersion } from '@vivarium/vim';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Call } from '../call.ts';
import type { Service } from '../service.ts';
import type { Session } from '../session/session.ts';
import { clientCertificates } from './client-certificates.ts';
import { sessionIdOf } from './cookies.ts';

/** `switchSession`: how this transport tells the client of its new session. */
export function callOf(
  service: Service,
  request: FastifyRequest,
  reply: FastifyReply,
  version: ApiVersion,
  switchSession: (session: Session | undefined) => void,
  presented = sessionIdOf(request.headers),
): Call {
  const { sessions } = service;
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the client has gone away'));
  });
  return {
    session: (presented === undefined ? undefined : sessions.find(presented)) ?? sessions.anonymous,
    version,
    signal: gone.signal,
    service,
    remoteAddress: request.ip,
    localAddress: request.socket.localAddress ?? '',
    userAgent: String(request.headers['user-agent'] ?? ''),
    clientCertificates: () => clientCertificates(request.socket),
    switchSession,
  };
}
