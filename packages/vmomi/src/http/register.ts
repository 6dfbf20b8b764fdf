// All routes of the API in one Fastify scope: bodies as bytes, bounded, gzip both ways.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Service } from '../service.ts';
import { addDescriptionRoutes } from './description-routes.ts';
import { compressReplies, decompress } from './gzip.ts';
import { addJsonRoute } from './json-route.ts';
import { addSoapRoute } from './soap-route.ts';

/** Bytes of a request body, also after decompression; larger ones get 413. The codec has the same bound. */
const BODY_LIMIT = 16 << 20;

export function registerRoutes(app: FastifyInstance, service: Service): void {
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
      (request: FastifyRequest, body: Buffer) => decompress(body, request.headers['content-encoding'], BODY_LIMIT),
    );
    compressReplies(scope);
    addSoapRoute(scope, service);
    addJsonRoute(scope, service);
    addDescriptionRoutes(scope, service);
    done();
  });
}
