// vCenter's HTTPS service: every door on one port.

import type { Socket } from 'node:net';
import type { Logger } from '@vivarium/base';
import type { Service } from '@vivarium/vmomi';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { KeyPair } from './certificates/certificate-authority.ts';
import { unavailable } from './leadership/unavailable.ts';
import { badUrl } from './rest/bad-url.ts';

/** A client that takes longer to send its headers is cut off. */
const HEADERS_TIMEOUT_MS = 30_000;
/** Whoever asks for something by a long name hears of the doors themselves that it is not there. */
const MOST_PARAMETER_CHARACTERS = 8_192;

export interface CenterWebOptions {
  readonly listen: { readonly address: string; readonly port: number };
  /** Absent = plain HTTP: for a simulator on loopback only. */
  readonly tls?: KeyPair & { readonly authority: string };
  readonly service: Service;
  readonly log: Logger;
  /** Whoever wants to see every request before it is served. */
  readonly before?: readonly ((app: FastifyInstance) => void)[];
  /** More doors: REST, statistics … */
  readonly doors?: readonly ((app: FastifyInstance) => void)[];
  /** Why nothing may be answered now; asked at each request. */
  readonly refusal?: () => string | undefined;
}

export interface CenterWeb {
  readonly port: number;
  /** Serves a connection that came in by another way, as one of its own: TLS begins with the next byte. */
  accept(connection: Socket): void;
  /** Cuts off whoever still waits for an answer. */
  dropConnections(): void;
  close(): Promise<void>;
}

/** Begins to serve; rejects when the address cannot be listened on. */
export async function openCenterWeb(options: CenterWebOptions): Promise<CenterWeb> {
  const { tls, service } = options;
  const common = {
    requestTimeout: 0,
    forceCloseConnections: true,
    logger: false,
    routerOptions: { maxParamLength: MOST_PARAMETER_CHARACTERS },
    frameworkErrors: (_error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      const { status, type, body } = badUrl(request.url);
      void reply.code(status).type(type).send(body);
    },
  };
  const app = (
    tls
      ? fastify({
          ...common,
          https: {
            key: tls.privateKey,
            cert: `${tls.certificate}${tls.authority}`,
            minVersion: 'TLSv1.2',
            // Who shows none, or a strange one, is let in: what it is good for is decided at the login.
            requestCert: true,
            rejectUnauthorized: false,
            headersTimeout: HEADERS_TIMEOUT_MS,
          },
        })
      : fastify(common)
  ) as FastifyInstance;
  app.addHook('onRequest', (request, reply, done) => {
    const why = options.refusal?.();
    if (why === undefined) return done();
    const { status, headers, body } = unavailable(request.url, why);
    void reply.code(status).headers(headers).send(body);
  });
  for (const open of options.before ?? []) open(app);
  service.register(app);
  for (const open of options.doors ?? []) open(app);
  app.get('/', (_request, reply) => {
    void reply.type('text/plain; charset=utf-8').send('Vivarium vCenter. The API is at /sdk.\n');
  });
  await app.listen({ host: options.listen.address, port: options.listen.port });
  const address = app.server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.listen.port,
    accept: (connection) => void app.server.emit('connection', connection),
    dropConnections: () => app.server.closeAllConnections(),
    close: () => app.close(),
  };
}
