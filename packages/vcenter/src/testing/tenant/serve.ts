// For tests: vCenter's doors on loopback, and a list of those that somebody has come through.
import type { TestContext } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { openDoors } from '../../doors.ts';
import type { SsoDomain } from '../../sso/sso-domain.ts';
import type { TestCenter } from '../test-center.ts';

export interface Served {
  /** Where vCenter is served. */
  readonly url: string;
  /** All routes: `GET /screen`. Without those that Fastify makes for HEAD: they are GET's. */
  readonly routes: ReadonlySet<string>;
  /** Those that were asked by anybody but the administrator. */
  readonly driven: ReadonlySet<string>;
}

export async function serve(context: TestContext, center: TestCenter, domain: SsoDomain): Promise<Served> {
  const routes = new Set<string>();
  const driven = new Set<string>();
  const app = fastify({ forceCloseConnections: true }) as unknown as FastifyInstance;
  app.addHook('onRoute', ({ method, url }) => {
    if (method !== 'HEAD') for (const one of [method].flat()) routes.add(`${one} ${url}`);
  });
  app.addHook('onResponse', (request, _reply, done) => {
    const presented = JSON.stringify(request.headers);
    const isAdministrator = center.service.sessions
      .list()
      .some(({ id, userName }) => userName === 'root' && presented.includes(id));
    if (!isAdministrator) driven.add(`${request.method} ${request.routeOptions.url}`);
    done();
  });
  center.service.register(app);
  for (const open of await openDoors(center, domain)) open(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  context.after(() => app.close());
  return { url, routes, driven };
}
