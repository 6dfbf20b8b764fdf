// GET /metrics: what Prometheus scrapes. Needs a session or HTTP Basic, and System.Read on the root folder; single entities are
// shown to those who may read them. `?vms=false` leaves single VMs out, where there are too many.
import { Readable } from 'node:stream';
import { MethodFault } from '@vivarium/vim';
import type { FastifyInstance } from 'fastify';
import { EXPOSITION_TYPE, exposition, type Family, inPieces } from '../metrics/exposition.ts';
import { inventoryFamilies } from '../metrics/inventory-metrics.ts';
import type { ProcessMetrics } from '../metrics/process-metrics.ts';
import type { Service } from '../service.ts';
import type { Session } from '../session/session.ts';

export function addMetricsRoute(app: FastifyInstance, service: Service, own: ProcessMetrics): void {
  app.get<{ Querystring: { readonly vms?: string } }>('/metrics', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    const session = await service.authenticate(request);
    if (!session) return reply.code(401).header('www-authenticate', 'Basic realm="Vivarium"').send();
    const root = service.graph.find(service.rootFolder);
    try {
      if (root) service.authorization.check(session, root, 'System.Read');
    } catch (error) {
      if (error instanceof MethodFault) return reply.code(403).send();
      throw error;
    }
    const lines = exposition(families(service, own, session, request.query.vms !== 'false'));
    return reply.type(EXPOSITION_TYPE).send(Readable.from(inPieces(lines), { objectMode: false }));
  });
}

function* families(service: Service, own: ProcessMetrics, session: Session, withVms: boolean): Generator<Family> {
  const { graph, authorization, content, sessions, calls } = service;
  const { productLineId, version, build } = content.about;
  yield {
    name: 'vivarium_build_info',
    help: 'What answers.',
    type: 'gauge',
    samples: [{ labels: { product: productLineId, version, build }, value: 1 }],
  };
  yield* own.families();
  yield {
    name: 'vivarium_sessions',
    help: 'Open sessions.',
    type: 'gauge',
    samples: [{ value: sessions.list().length }],
  };
  yield* calls.families();
  const mayRead = (object: Parameters<typeof authorization.holds>[1]) =>
    authorization.holds(session, object, 'System.Read');
  yield* inventoryFamilies({ graph, mayRead, withVms });
}
