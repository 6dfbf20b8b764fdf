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
  let gone: AbortController | undefined;
  return {
    session: (presented === undefined ? undefined : sessions.find(presented)) ?? sessions.anonymous,
    version,
    /** Made when somebody wants it: most calls are over before. */
    get signal() {
      return (gone ??= goneWith(reply.raw)).signal;
    },
    service,
    remoteAddress: request.ip,
    localAddress: request.socket.localAddress ?? '',
    userAgent: String(request.headers['user-agent'] ?? ''),
    clientCertificates: () => clientCertificates(request.socket),
    switchSession,
  };
}

/** Aborted when the connection ends before the reply. */
function goneWith(raw: FastifyReply['raw']): AbortController {
  const gone = new AbortController();
  const abort = () => gone.abort(new Error('the client has gone away'));
  if (raw.destroyed && !raw.writableFinished) abort();
  else
    raw.once('close', () => {
      if (!raw.writableFinished) abort();
    });
  return gone;
}
