// Answers on vCenter's own address while another vpxd leads, or nobody does: everything with 503. It knows no users.
import { createServer } from 'node:https';
import type { KeyPair } from '../certificates/certificate-authority.ts';
import { unavailable } from './unavailable.ts';

/** A client that takes longer to say what it wants is cut off. */
const REQUEST_TIMEOUT_MS = 30_000;
const MOST_CONNECTIONS = 1_000;

export interface StandBy {
  readonly port: number;
  /** The port is free when it resolves. */
  close(): Promise<void>;
}

/** Rejects when the address cannot be listened on. `why` is asked at each request. */
export async function openStandBy(options: {
  readonly listen: { readonly address: string; readonly port: number };
  readonly tls: KeyPair & { readonly authority: string };
  readonly why: () => string;
}): Promise<StandBy> {
  const { listen, tls, why } = options;
  const server = createServer(
    {
      key: tls.privateKey,
      cert: `${tls.certificate}${tls.authority}`,
      minVersion: 'TLSv1.2',
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    },
    (request, response) => {
      request.resume(); // a client that still sends would not read what it is told
      const { status, headers, body } = unavailable(request.url ?? '/', why());
      response.writeHead(status, headers).end(body);
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(listen.port, listen.address, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : listen.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
