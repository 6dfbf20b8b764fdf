// The host's HTTPS service: the API, the /folder door and consoles on one port.
import type { Logger } from '@vivarium/base';
import type { Service } from '@vivarium/vmomi';
import { type FastifyBaseLogger, fastify } from 'fastify';
import { openConsoleDoor } from './console/console-door.ts';
import type { TicketRegistry } from './console/ticket-registry.ts';
import { registerFolderRoutes } from './folder-access/folder-routes.ts';
import type { Storage } from './storage.ts';
import type { TlsIdentity } from './tls/certificate.ts';

/** A client that takes longer to send its headers is cut off. */
const HEADERS_TIMEOUT_MS = 30_000;

export interface WebOptions {
  readonly listen: { readonly address: string; readonly port: number };
  readonly tls: TlsIdentity;
  readonly service: Service;
  readonly storage: Storage;
  readonly tickets: TicketRegistry;
  readonly vncSocket: (vm: string) => string | undefined;
  readonly log: Logger;
}

export interface Web {
  /** The port that is listened on. */
  readonly port: number;
  close(): Promise<void>;
}

/** Begins to serve; rejects when the address cannot be listened on. */
export async function openWeb(options: WebOptions): Promise<Web> {
  const { tls, service, log } = options;
  const app = fastify({
    https: { key: tls.privateKey, cert: tls.certificate, minVersion: 'TLSv1.2', headersTimeout: HEADERS_TIMEOUT_MS },
    // Long polls take as long as they take: only silence between requests is limited.
    requestTimeout: 0,
    forceCloseConnections: true,
    disableRequestLogging: true,
    loggerInstance: log as unknown as FastifyBaseLogger,
    routerOptions: { ignoreTrailingSlash: true },
  });
  service.register(app);
  registerFolderRoutes(app, options);
  app.get('/', (_request, reply) => {
    void reply.type('text/plain; charset=utf-8').send('Vivarium. The API is at /sdk; files are at /folder.\n');
  });
  const doors = openConsoleDoor(app.server, { tickets: options.tickets, vncSocket: options.vncSocket, log });
  await app.listen({ host: options.listen.address, port: options.listen.port });
  const address = app.server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.listen.port,
    async close() {
      doors.close();
      await app.close();
    },
  };
}
