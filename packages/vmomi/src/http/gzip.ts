// gzip both ways. Own code instead of @fastify/compress: side by side (RetrieveServiceContent, 16 clients) both serve the
// same number of requests a second of CPU, but a zlib stream a reply took 25 to 45 MB more resident memory.
import { promisify } from 'node:util';
import { gunzip, gzip, gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';

/** Replies smaller than this are not worth compressing: they fit into two packets. */
const COMPRESS_FROM = 2048;
/** Characters, or bytes, up to which compressing takes well below a millisecond. */
const ON_THE_SPOT = 128 << 10;
export const LEVEL = { level: 1 };

const gunzipLater = promisify(gunzip);

/** Compresses the replies of this scope, which are all text, for clients that accept gzip. */
export function compressReplies(scope: FastifyInstance): void {
  scope.addHook('onSend', (request, reply, payload, done) => {
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return done(null, payload);
    if (payload.length < COMPRESS_FROM) return done(null, payload);
    void reply.header('vary', 'accept-encoding');
    if (!acceptsGzip(request.headers['accept-encoding'])) return done(null, payload);
    const send = (error: Error | null, compressed: Buffer) => {
      if (error) return done(error);
      void reply.header('content-encoding', 'gzip').header('content-length', compressed.length);
      done(null, compressed);
    };
    if (payload.length <= ON_THE_SPOT) send(null, gzipSync(payload, LEVEL));
    else gzip(payload, LEVEL, send);
  });
}

/** A request's body as its Content-Encoding says. Throws errors with a statusCode: 413 beyond `limit` bytes, 415, 400. */
export async function decompress(body: Buffer, encoding: string | undefined, limit: number): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'x-gzip')
    throw refusal(415, `the content encoding ${encoding} is not supported`);
  try {
    return await gunzipLater(body, { maxOutputLength: limit });
  } catch (error) {
    const isTooLarge = error instanceof RangeError;
    throw isTooLarge ? refusal(413, 'the body is too large') : refusal(400, 'the body is not gzip');
  }
}

export function acceptsGzip(accepted: string | string[] | undefined): boolean {
  return /(?:^|[,\s])(?:gzip|\*)(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(String(accepted ?? ''));
}

function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode });
}
