// HTTPS to one endpoint: keep-alive connections, trust, a certificate of one's own. Knows JSON, not the API.
import { request } from 'node:https';
import type { Readable } from 'node:stream';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ConnectionLost } from './connection-lost.ts';
import { type ClientIdentity, TlsAgent } from './tls-agent.ts';
import { authoritiesOf, type Trust, UntrustedPeer } from './trust.ts';

export interface TransportOptions {
  /** Origin, e.g. `https://127.0.0.1:8443`. */
  readonly url: string;
  readonly trust: Trust;
  readonly identity?: ClientIdentity;
  /** Longest time without a byte of the answer, in milliseconds. */
  readonly idleTimeoutMs?: number;
  /** Longest time without progress while a connection is made, in milliseconds. */
  readonly connectTimeoutMs?: number;
}

export interface JsonResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed body; `undefined` when it is empty. */
  readonly body: unknown;
}

export interface SendOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly idleTimeoutMs?: number;
  /** The answer may take minutes: the request gets a connection beside those that the others share. */
  readonly isLongPoll?: boolean;
  /** Asking twice does no harm: asked again when a connection that was kept open turns out to be dead. */
  readonly isRepeatable?: boolean;
}

export interface TransferOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable;
  readonly signal?: AbortSignal;
  readonly idleTimeoutMs?: number;
}

export interface TransferAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

const MAX_RESPONSE_BYTES = 256 << 20;
/** Requests at once to one endpoint; more wait for their turn. */
const MOST_CONNECTIONS = 16;
/** Whoever opens more streams to one endpoint than this has lost count. */
const MOST_LONG_POLLS = 1000;

/** Of those who ask for a thumbprint: whom they trust is not in it, and vCenter comes to thousands of hosts with one identity. */
const shared = new WeakMap<ClientIdentity, SecureContext>();

export class Transport {
  readonly #origin: URL;
  readonly #agent: TlsAgent;
  readonly #longPolls: TlsAgent;
  readonly #idleTimeoutMs: number;

  constructor(options: TransportOptions) {
    const { trust, identity } = options;
    this.#origin = new URL(options.url);
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    const secureContext = secureContextOf(trust, identity);
    const common = { trust, secureContext, connectTimeoutMs: options.connectTimeoutMs ?? 30_000 };
    this.#agent = new TlsAgent({ ...common, mostConnections: MOST_CONNECTIONS });
    this.#longPolls = new TlsAgent({ ...common, mostConnections: MOST_LONG_POLLS });
  }

  /** Rejects with ConnectionLost, UntrustedPeer, or the signal's AbortError. */
  send(method: 'GET' | 'POST', path: string, options: SendOptions = {}): Promise<JsonResponse> {
    const payload = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    const idleTimeoutMs = options.idleTimeoutMs ?? this.#idleTimeoutMs;
    return new Promise((resolve, reject) => {
      let isSent = false;
      const fail = (error: unknown) => {
        const isStale = options.isRepeatable && outgoing.reusedSocket && !options.signal?.aborted && !isOverdue;
        if (isStale) resolve(this.send(method, path, { ...options, isRepeatable: false }));
        else reject(asLost(error, path, isSent, options.signal));
      };
      let isOverdue = false;
      const outgoing = request(
        new URL(path, this.#origin),
        {
          method,
          agent: options.isLongPoll ? this.#longPolls : this.#agent,
          timeout: idleTimeoutMs,
          ...(options.signal ? { signal: options.signal } : {}),
          headers: {
            accept: 'application/json',
            ...(payload ? { 'content-type': 'application/json', 'content-length': payload.length } : {}),
            ...options.headers,
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          let size = 0;
          incoming.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > MAX_RESPONSE_BYTES) outgoing.destroy(new Error('the answer is larger than 256 MiB'));
            else chunks.push(chunk);
          });
          incoming.on('end', () => {
            try {
              const text = Buffer.concat(chunks).toString('utf8');
              const body: unknown = text === '' ? undefined : JSON.parse(text);
              resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
            } catch (error) {
              reject(new Error(`${path}: the answer is not JSON (HTTP ${incoming.statusCode})`, { cause: error }));
            }
          });
          incoming.on('error', fail);
        },
      );
      outgoing.on('socket', () => (isSent = true)); // which it gets when it is connected and trusted
      outgoing.on('timeout', () => {
        isOverdue = true;
        outgoing.destroy(new Error(`no answer for ${idleTimeoutMs} ms`));
      });
      outgoing.on('error', fail);
      outgoing.end(payload);
    });
  }

  /** Sends `length` bytes of `content` by PUT; resolves with the status. */
  upload(
    path: string,
    content: NodeJS.ReadableStream,
    length: number,
    options: { headers?: Record<string, string>; onProgress?: (sentBytes: number) => void } = {},
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.#origin),
        { method: 'PUT', agent: this.#agent, headers: { 'content-length': length, ...options.headers } },
        (incoming) => {
          incoming.resume();
          incoming.on('end', () => resolve(incoming.statusCode ?? 0));
          incoming.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      let sent = 0;
      content.on('data', (chunk: Buffer) => {
        sent += chunk.length;
        options.onProgress?.(sent);
      });
      content.on('error', (error) => outgoing.destroy(error));
      content.pipe(outgoing);
    });
  }

  /**
   * A request whose body and answer are streams of bytes, on a connection of its own. Whoever gets the answer reads it to its
   * end or destroys it. Rejects as send does.
   */
  transfer(method: string, path: string, options: TransferOptions = {}): Promise<TransferAnswer> {
    const { headers = {}, body, signal } = options;
    return new Promise((resolve, reject) => {
      let isSent = false;
      const outgoing = request(
        new URL(path, this.#origin),
        {
          method,
          agent: this.#longPolls,
          timeout: options.idleTimeoutMs ?? this.#idleTimeoutMs,
          headers,
          ...(signal ? { signal } : {}),
        },
        (incoming) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming }),
      );
      outgoing.on('socket', () => (isSent = true));
      outgoing.on('timeout', () => outgoing.destroy(new Error('no byte has moved for too long')));
      outgoing.on('error', (error) => {
        body?.unpipe(outgoing);
        reject(asLost(error, path, isSent, signal));
      });
      if (!body) outgoing.end();
      else {
        body.on('error', (error) => outgoing.destroy(error));
        body.on('close', () => {
          if (!body.readableEnded) outgoing.destroy(new Error('what was being sent has broken off'));
        });
        body.pipe(outgoing);
      }
    });
  }

  close(): void {
    this.#agent.destroy();
    this.#longPolls.destroy();
  }
}

function asLost(error: unknown, path: string, isSent: boolean, signal: AbortSignal | undefined): unknown {
  if (error instanceof UntrustedPeer || signal?.aborted) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new ConnectionLost(`${path}: ${why}`, { cause: error, mayHaveArrived: isSent });
}

function secureContextOf(trust: Trust, identity: ClientIdentity | undefined): SecureContext {
  const known = identity && 'thumbprint' in trust ? shared.get(identity) : undefined;
  if (known) return known;
  const made = createSecureContext({
    minVersion: 'TLSv1.2',
    ca: authoritiesOf(trust) ?? [],
    allowPartialTrustChain: 'certificate' in trust,
    ...(identity ? { cert: identity.certificate, key: identity.privateKey } : {}),
  });
  if (identity && 'thumbprint' in trust) shared.set(identity, made);
  return made;
}
