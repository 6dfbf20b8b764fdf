// For tests: an HTTPS endpoint that answers VI/JSON as the test says. It has no objects: every method is a function.
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { MethodFault } from '@vivarium/vim';

/** Certificates and keys for nothing but these tests: `self` and `signed` (by `authority`, for esx1.example), `client`. */
export function pem(name: 'self' | 'signed' | 'authority' | 'client'): string {
  return readFileSync(new URL(`./fixtures/${name}.pem`, import.meta.url), 'utf8');
}

export interface FakeRequest {
  /** `WaitForUpdatesEx`, or a property. */
  readonly member: string;
  readonly target: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly session: string | undefined;
  /** Common name of the certificate that the client has shown. */
  readonly clientName: string | undefined;
  /** Answers this request with a new session. */
  enter(session: string): void;
}

type Answer = (request: FakeRequest) => unknown;

export interface FakeEndpoint {
  readonly url: string;
  readonly requests: readonly FakeRequest[];
  /** By method. A thrown MethodFault is answered as one; `HANG_UP` closes the connection. */
  readonly answers: Record<string, Answer>;
  /** Requests of one method so far. */
  count(member: string): number;
  /** Cuts every connection. */
  cut(): void;
  /** Takes no connections until `listen`. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
}

export const HANG_UP = Symbol('hang up');

const CONTENT = {
  propertyCollector: { type: 'PropertyCollector', value: 'pc' },
  viewManager: { type: 'ViewManager', value: 'views' },
  sessionManager: { type: 'SessionManager', value: 'sm' },
  taskManager: { type: 'TaskManager', value: 'tasks' },
};

export async function fakeEndpoint(
  context: TestContext,
  certificate: 'self' | 'signed' = 'self',
): Promise<FakeEndpoint> {
  const own = pem(certificate);
  const requests: FakeRequest[] = [];
  const answers: Record<string, Answer> = { RetrieveServiceContent: () => CONTENT };
  const sockets = new Set<Socket>();
  const server = createServer({
    key: own,
    cert: own,
    ca: pem('authority'),
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (incoming: IncomingMessage, reply: ServerResponse) => {
    void respond(incoming, reply, requests, answers);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const refuse = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      cut();
    });
  context.after(refuse);
  return {
    url: `https://127.0.0.1:${port}`,
    requests,
    answers,
    count: (member) => requests.filter((request) => request.member === member).length,
    cut,
    refuse,
    listen: () => listen(port),
  };
}

async function respond(
  incoming: IncomingMessage,
  reply: ServerResponse,
  requests: FakeRequest[],
  answers: Record<string, Answer>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const [, , , , , value = '', member = ''] = (incoming.url ?? '').split('/');
  const session = incoming.headers['vmware-api-session-id'];
  const shown = (incoming.socket as TLSSocket).getPeerCertificate();
  const request: FakeRequest = {
    member,
    target: decodeURIComponent(value),
    body: chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>) : {},
    session: typeof session === 'string' ? session : undefined,
    clientName: 'subject' in shown ? String(shown.subject.CN) : undefined,
    enter: (id) => void reply.setHeader('vmware-api-session-id', id),
  };
  requests.push(request);
  try {
    const answer = await answers[member]?.(request);
    if (answer === HANG_UP) incoming.socket.destroy();
    else
      reply.writeHead(answer === undefined ? 204 : 200).end(answer === undefined ? undefined : JSON.stringify(answer));
  } catch (error) {
    const fault = error instanceof MethodFault ? error : new MethodFault('SystemError', { reason: String(error) });
    reply.writeHead(500).end(JSON.stringify(fault.fault));
  }
}
