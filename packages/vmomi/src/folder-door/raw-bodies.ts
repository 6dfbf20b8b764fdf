// Routes that read their bodies themselves, from request.raw: of any type and length, streamed.
import type { FastifyInstance } from 'fastify';

export function rawBodies(app: FastifyInstance, addRoutes: (scope: FastifyInstance) => void): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    addRoutes(scope);
    done();
  });
}
