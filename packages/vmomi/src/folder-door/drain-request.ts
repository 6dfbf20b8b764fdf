// For an answer that comes before the body of its request is read.
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Of a body that is refused, so much is read and thrown away, that the client comes to read the answer. */
const DRAIN_BYTES = 64 * 1024 * 1024;

/** For an answer before the body is read: a client that is still sending hears it only when it is through, or cut off. */
export function drainRequest({ raw, method }: FastifyRequest, reply: FastifyReply): void {
  if (raw.complete || (method !== 'PUT' && method !== 'POST')) return;
  reply.header('connection', 'close');
  let bytes = 0;
  raw.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DRAIN_BYTES) raw.destroy();
  });
  raw.on('error', () => undefined);
}
