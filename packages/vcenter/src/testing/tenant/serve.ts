// For tests: vCenter's doors on loopback, and a list of those that somebody has come through.
import type { TestContext } from 'node:test';
import { recordRoutes, type Served } from '@vivarium/vmomi/testing/tenant';
import { type FastifyInstance, fastify } from 'fastify';
import { openDoors } from '../../doors.ts';
import type { SsoDomain } from '../../sso/sso-domain.ts';
import type { TestCenter } from '../test-center.ts';

export async function serve(context: TestContext, center: TestCenter, domain: SsoDomain): Promise<Served> {
  const app = fastify({ forceCloseConnections: true }) as unknown as FastifyInstance;
  const recorded = recordRoutes(app, () => center.service);
  center.service.register(app);
  for (const open of await openDoors(center, domain)) open(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  context.after(() => app.close());
  return {
    ...recorded,
    url,
    async send(method, path, headers, body) {
      const answer = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
      const contentType = answer.headers.get('content-type') ?? '';
      return { status: answer.status, contentType, text: await answer.text() };
    },
  };
}
