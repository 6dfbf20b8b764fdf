// For tests: a list of the routes of a daemon, and of those that somebody has come through.
import type { FastifyInstance } from 'fastify';
import type { Service } from '../../service.ts';
import type { Served } from './world.ts';

/** To be called before the first route is there; `service`: once there are requests. */
export function recordRoutes(app: FastifyInstance, service: () => Service): Pick<Served, 'routes' | 'driven'> {
  const routes = new Set<string>();
  const driven = new Set<string>();
  app.addHook('onRoute', ({ method, url }) => {
    if (method !== 'HEAD') for (const one of [method].flat()) routes.add(`${one} ${url}`);
  });
  app.addHook('onResponse', (request, _reply, done) => {
    const presented = JSON.stringify(request.headers);
    const isAdministrator = service()
      .sessions.list()
      .some(({ id, userName }) => userName === 'root' && presented.includes(id));
    if (!isAdministrator) driven.add(`${request.method} ${request.routeOptions.url}`);
    done();
  });
  return { routes, driven };
}
