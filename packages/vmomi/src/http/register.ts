// All routes of the API in one Fastify scope: bodies as bytes, bounded, gzip both ways.
import compress from '@fastify/compress';
import type { FastifyInstance } from 'fastify';
import type { Service } from '../service.ts';
import { addDescriptionRoutes } from './description-routes.ts';
import { addJsonRoute } from './json-route.ts';
import { addSoapRoute } from './soap-route.ts';

/** Bytes of a request body after decompression; larger ones get 413. The codec has the same bound. */
const BODY_LIMIT = 16 << 20;
/** Replies smaller than this are not worth compressing. */
const COMPRESS_FROM = 1024;

export function registerRoutes(app: FastifyInstance, service: Service): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) => {
      done(null, body);
    });
    await scope.register(compress, {
      threshold: COMPRESS_FROM,
      encodings: ['gzip', 'deflate'],
      requestEncodings: ['gzip', 'deflate'],
      zlibOptions: { level: 1 },
    });
    addSoapRoute(scope, service);
    addJsonRoute(scope, service);
    addDescriptionRoutes(scope, service);
  });
}
