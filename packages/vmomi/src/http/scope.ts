// What routes of the API have in common: bodies as bytes, bounded, gzip both ways.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { compressReplies, decompress } from './gzip.ts';

/** Bytes of a request body, also after decompression; larger ones get 413. The SOAP codec has the same bound. */
const BODY_LIMIT = 16 << 20;

export function prepareScope(scope: FastifyInstance, bodyLimit = BODY_LIMIT): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (request: FastifyRequest, body: Buffer, done) => {
    const encoding = request.headers['content-encoding'];
    // Nearly all: a promise for each would be felt.
    if (encoding !== undefined) return decompress(body, encoding, bodyLimit);
    done(null, body);
    return undefined;
  });
  compressReplies(scope);
}
