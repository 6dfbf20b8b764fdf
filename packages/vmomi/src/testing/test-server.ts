// For tests: a Service behind HTTPS on the loopback interface, and a small client that shows the raw answers.
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type ApiVersion, encodeSoapRequest, type MoRef } from '@vivarium/vim';
import Fastify from 'fastify';
import { type TestService, type TestServiceOptions, testService } from './test-service.ts';

/** Key and certificate for localhost, for nothing but these tests. */
const PEM = readFileSync(new URL('./fixtures/tls.pem', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface TestServer extends TestService {
  readonly port: number;
  send(
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: string | Uint8Array; signal?: AbortSignal },
  ): Promise<Answer>;
  soap(
    ref: MoRef,
    method: string,
    args?: object,
    options?: { cookie?: string; version?: ApiVersion; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Answer>;
}

export async function testServer(context: TestContext, options?: TestServiceOptions): Promise<TestServer> {
  const world = await testService(context, options);
  const app = Fastify({ https: { key: PEM, cert: PEM }, forceCloseConnections: true });
  world.service.register(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, ca: PEM });
  context.after(async () => {
    agent.destroy();
    await app.close();
  });

  const send: TestServer['send'] = (method, path, { headers = {}, body, signal } = {}) => {
    const target: RequestOptions = { host: '127.0.0.1', port, method, path, agent, headers: { ...headers } };
    return exchange({ ...target, ...(signal && { signal }) }, body);
  };
  const soap: TestServer['soap'] = (ref, method, args = {}, { cookie, version = '8.0.3.0', headers, signal } = {}) => {
    const body = encodeSoapRequest(method, ref, args as Record<string, unknown>, version);
    const common = { 'content-type': 'text/xml; charset=utf-8', soapaction: `"urn:vim25/${version}"` };
    return send('POST', '/sdk', {
      headers: { ...common, ...(cookie && { cookie }), ...headers },
      body,
      ...(signal && { signal }),
    });
  };
  return { ...world, port, send, soap };
}

function exchange(options: RequestOptions, body: string | Uint8Array | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: whole,
          text: whole.toString('utf8'),
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
