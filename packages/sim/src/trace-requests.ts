// What clients ask a simulator, written down: each request below /sdk with its body, and how it was answered.
import { PassThrough } from 'node:stream';
import type { Clock } from '@vivarium/base';
import type { Door } from '@vivarium/vcenter';

/** Of a body that is written down, in bytes. */
const LONGEST = 2 ** 20;

/** To be opened before all other doors. `write` gets whole lines. */
export function traceRequests(clock: Clock, write: (text: string) => void): Door {
  return (app) => {
    app.addHook('preParsing', (request, reply, payload, done) => {
      // Other doors read their bodies themselves.
      if (!request.url.startsWith('/sdk')) return done(null, payload);
      const startedMs = clock.monotonic();
      const chunks: Buffer[] = [];
      let bytes = 0;
      const copy = new PassThrough();
      copy.on('data', (chunk: Buffer) => {
        if (bytes < LONGEST) chunks.push(chunk);
        bytes += chunk.length;
      });
      reply.raw.once('close', () => {
        const took = Math.round(clock.monotonic() - startedMs);
        const body = Buffer.concat(chunks).toString('utf8', 0, LONGEST).trim();
        write(`=== ${request.method} ${request.url} ${reply.raw.statusCode} ${took}ms\n${body}\n`);
      });
      done(null, payload.pipe(copy));
    });
  };
}
