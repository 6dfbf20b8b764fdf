// All routes of the API in one Fastify scope.
import type { ServiceName } from '@vivarium/vim';
import type { FastifyInstance } from 'fastify';
import type { ProcessMetrics } from '../metrics/process-metrics.ts';
import type { Service } from '../service.ts';
import { addDescriptionRoutes } from './description-routes.ts';
import { addJsonRoute } from './json-route.ts';
import { addMetricsRoute } from './metrics-route.ts';
import { prepareScope } from './scope.ts';
import { replySender } from './send-reply.ts';
import { addSoapRoute } from './soap-route.ts';

export function registerRoutes(app: FastifyInstance, service: Service, own: ProcessMetrics): void {
  const sender = replySender(service);
  void app.register((scope, _options, done) => {
    prepareScope(scope);
    addSoapRoute(scope, service, sender);
    addJsonRoute(scope, service, sender);
    addDescriptionRoutes(scope, service);
    addMetricsRoute(scope, service, own);
    done();
  });
}

/** The routes of a service beside /sdk; its objects are in the same graph, its sessions are the same. */
export function registerSideService(app: FastifyInstance, service: Service, door: Exclude<ServiceName, 'vim25'>): void {
  const sender = replySender(service);
  void app.register((scope, _options, done) => {
    prepareScope(scope);
    addSoapRoute(scope, service, sender, door);
    done();
  });
}
