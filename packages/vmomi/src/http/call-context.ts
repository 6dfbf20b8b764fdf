// One HTTP request as a Call.
import type { ApiVersion } from '@vivarium/vim';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Call } from '../call.ts';
import type { Service } from '../service.ts';
import type { Session } from '../session/session.ts';
import { clientCertificates } from './client-certificates.ts';
import { sessionIdOf } from './cookies.ts';
import { whenClosed } from './when-closed.ts';

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
  const session = (presented === undefined ? undefined : sessions.find(presented)) ?? sessions.anonymous;
  return new HttpCall(service, session, version, request, reply, switchSession);
}

/**
 * A class, as there are thousands in a second: a literal with a getter gets a hidden class of its own each time, which V8 keeps among
 * what is old, and with it the request and the reply until the next full collection of garbage.
 */
class HttpCall implements Call {
  readonly service: Service;
  readonly session: Session;
  readonly version: ApiVersion;
  readonly switchSession: (session: Session | undefined) => void;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  #gone: AbortController | undefined;

  constructor(
    service: Service,
    session: Session,
    version: ApiVersion,
    request: FastifyRequest,
    reply: FastifyReply,
    switchSession: (session: Session | undefined) => void,
  ) {
    this.service = service;
    this.session = session;
    this.version = version;
    this.switchSession = switchSession;
    this.#request = request;
    this.#reply = reply;
  }

  get remoteAddress(): string {
    return this.#request.ip;
  }

  get localAddress(): string {
    return this.#request.socket.localAddress ?? '';
  }

  get userAgent(): string {
    return String(this.#request.headers['user-agent'] ?? '');
  }

  /** Made when somebody wants it: most calls are over before. */
  get signal(): AbortSignal {
    this.#gone ??= goneWith(this.#reply.raw);
    return this.#gone.signal;
  }

  readonly onGone = (run: () => void): (() => void) => whenClosed(this.#request.socket, run);

  readonly clientCertificates = () => clientCertificates(this.#request.socket);
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
