// When an exchange is over, well or not: who holds something for it lets it go then.
import type { FastifyReply } from 'fastify';

/** Aborted at the end of the exchange, or from the beginning when the client went away before anybody asked. */
export function exchangeOver(raw: FastifyReply['raw']): AbortSignal {
  if (raw.destroyed) return AbortSignal.abort();
  const over = new AbortController();
  raw.once('close', () => over.abort());
  return over.signal;
}
