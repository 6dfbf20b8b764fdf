// Sends a reply that is made piece by piece. What fits into one chunk is an ordinary reply; a longer one is streamed: the first
// bytes leave before the last are made, the next piece is made when the one before is gone, so a slow client costs two pieces
// and what the reply is made of, and a client that goes away ends the work.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline, type Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Clock, Logger } from '@vivarium/base';
import type { EncodedSink } from '@vivarium/vim';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Pacer } from '../pacer.ts';
import { CHUNK_BYTES, ChunkPool, ChunkSink } from './chunk-sink.ts';
import { acceptsGzip, LEVEL } from './gzip.ts';

/** A client that takes nothing for so long is given up. */
const STALL_MS = 5 * 60_000;
const MOST_FREE_CHUNKS = 8;

export interface ReplySender {
  /**
   * `produce` writes the body into the sink, a step at a time. What it throws before the first chunk is full is thrown here,
   * and nothing has been sent then.
   */
  send(
    request: FastifyRequest,
    reply: FastifyReply,
    contentType: string,
    produce: (sink: EncodedSink) => Iterator<void, void>,
  ): FastifyReply;
}

export function replySender({ clock, log }: { readonly clock: Clock; readonly log: Logger }): ReplySender {
  const pool = new ChunkPool(MOST_FREE_CHUNKS);
  const pacer = new Pacer(clock);
  return {
    send(request, reply, contentType, produce) {
      const sink = new ChunkSink(pool);
      const steps = produce(sink);
      try {
        if (isWholeIn(sink, steps)) return sendWhole(request, reply, contentType, sink.rest());
      } catch (error) {
        sink.close();
        throw error;
      }
      reply.type(contentType).header('vary', 'accept-encoding').hijack();
      const { raw } = reply;
      const isZipped = acceptsGzip(request.headers['accept-encoding']);
      raw.writeHead(200, {
        ...(reply.getHeaders() as OutgoingHttpHeaders),
        ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
      });
      raw.setTimeout(STALL_MS, () => raw.destroy());
      raw.on('error', () => raw.destroy());
      const way = isZipped ? 'zipped' : request.raw.httpVersion === '1.1' && raw.socket ? 'framed' : 'plain';
      stream(raw, way, sink, steps, pacer)
        .catch((error: unknown) => {
          // Too late for a fault: the client notices that the body has no end.
          if (!raw.destroyed) log.error({ url: request.url, error }, 'a reply failed in the middle');
          raw.destroy();
        })
        .finally(() => {
          steps.return?.();
          sink.close();
        });
      return reply;
    },
  };
}

/** What many are told leaves from where it lies: joined to what each is told alone, it would be copied twice for each. */
function sendWhole(
  request: FastifyRequest,
  reply: FastifyReply,
  contentType: string,
  rest: ReturnType<ChunkSink['rest']>,
): FastifyReply {
  if (typeof rest === 'string' || Buffer.isBuffer(rest)) return reply.type(contentType).send(rest);
  const [before, kept, after] = rest as readonly [string, string, string];
  if (acceptsGzip(request.headers['accept-encoding'])) return reply.type(contentType).send(before + kept + after);
  reply.type(contentType).header('vary', 'accept-encoding').hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    'content-length': Buffer.byteLength(before) + kept.length + Buffer.byteLength(after),
  });
  raw.write(before);
  raw.write(kept, 'latin1');
  raw.end(after);
  return reply;
}

/** Makes the body until it is finished (true) or a chunk is full. */
function isWholeIn(sink: ChunkSink, steps: Iterator<void, void>): boolean {
  for (;;) {
    const isDone = steps.next().done === true;
    if (isDone) sink.finish();
    if (sink.isFull) return false;
    if (isDone) return true;
  }
}

async function stream(
  raw: ServerResponse,
  way: 'zipped' | 'framed' | 'plain',
  sink: ChunkSink,
  steps: Iterator<void, void>,
  pacer: Pacer,
): Promise<void> {
  const out = way === 'zipped' ? zipInto(raw) : raw;
  const socket = way === 'framed' ? raw.socket : null;
  const frame = socket && new Frame(socket);
  if (frame) raw.flushHeaders();
  for (let isDone = false; !raw.destroyed; ) {
    const piece = sink.next();
    if (piece) {
      frame?.begin(piece.bytes.length);
      await write(socket ?? out, piece.bytes, raw);
      sink.release(piece);
      await pacer.pause();
    } else if (isDone) {
      frame?.end();
      const rest = sink.rest();
      out.end(typeof rest === 'string' || Buffer.isBuffer(rest) ? rest : rest.join(''));
      return;
    } else {
      isDone = steps.next().done === true;
      if (isDone) sink.finish();
    }
  }
}

/**
 * HTTP's chunked encoding (RFC 9112, 7.1), written past Node: what Node sends as one write of three parts, TLS copies into one. What
 * ends a chunk goes with the beginning of the next one.
 */
class Frame {
  readonly #socket: Writable;
  #ending = '';

  constructor(socket: Writable) {
    this.#socket = socket;
  }

  /** So many bytes follow. */
  begin(bytes: number): void {
    this.#socket.write(`${this.#ending}${bytes.toString(16)}\r\n`, 'latin1');
    this.#ending = '\r\n';
  }

  /** Node goes on. */
  end(): void {
    if (this.#ending !== '') this.#socket.write(this.#ending, 'latin1');
  }
}

function zipInto(raw: ServerResponse): Writable {
  const zip = createGzip({ ...LEVEL, chunkSize: CHUNK_BYTES / 2 });
  // A failure ends both; `raw.destroyed` tells.
  pipeline(zip, raw, () => undefined);
  return zip;
}

/** Resolves when the bytes have left, or the client has. */
function write(out: Writable, bytes: Uint8Array, raw: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      raw.off('close', settle);
      resolve();
    };
    raw.once('close', settle);
    out.write(bytes, settle);
  });
}
