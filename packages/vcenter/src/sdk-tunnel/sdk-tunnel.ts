// The SDK tunnel: an HTTP proxy that leads to vCenter itself and nowhere else. Extensions come this way, as `https://sdkTunnel:8089/sdk`,
// to log in by their certificates. vCenter has it on port 80.
import { createServer, type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** What clients call vCenter at the end of the tunnel. */
const TUNNEL_TARGET = /^sdkTunnel:8089$/i;
/** A client that takes longer to say where it wants to go is cut off. */
const REQUEST_TIMEOUT_MS = 10_000;
const MOST_CONNECTIONS = 256;

export interface SdkTunnel {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `accept` gets every connection that asks for vCenter, with TLS to begin. Nothing is connected to: who listens here serves no stranger
 * with a way into a network. Rejects when the address cannot be listened on.
 */
export async function openSdkTunnel(options: {
  /** Port 0 takes a free one. */
  readonly listen: { readonly address: string; readonly port: number };
  readonly accept: (connection: Socket) => void;
}): Promise<SdkTunnel> {
  const { listen, accept } = options;
  const open = new Set<Socket>();
  const server = createServer(
    { headersTimeout: REQUEST_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1_000 },
    (request, response) => {
      request.resume(); // a client that still sends would not read what it is told
      response.writeHead(405, { allow: 'CONNECT', connection: 'close' }).end();
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('connect', (request: IncomingMessage, socket: unknown, head: Buffer) => {
    if (!(socket instanceof Socket)) throw new TypeError('a connection without a socket');
    socket.on('error', () => socket.destroy()); // it has gone away
    if (!TUNNEL_TARGET.test(request.url ?? '')) return refuse(socket);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    accept(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(listen.port, listen.address, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : listen.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** The client closes the connection when it has read why; or it is closed. */
function refuse(socket: Socket): void {
  socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
  socket.once('end', () => socket.destroy());
  socket.resume();
  socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
}
