// One keep-alive HTTPS connection pool to one endpoint, whose certificate is pinned. Knows JSON, not the API.
import { Agent, request } from 'node:https';

export interface Trust {
  /** PEM of the certificate that the endpoint must show (or of the authority that signed it). */
  readonly certificate: string;
}

export interface TransportOptions {
  /** Origin, e.g. `https://127.0.0.1:8443`. */
  readonly url: string;
  readonly trust: Trust;
  /** Longest time without a byte of the answer, in milliseconds. */
  readonly idleTimeoutMs?: number;
}

export interface JsonResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed body; `undefined` when it is empty. */
  readonly body: unknown;
}

const MAX_RESPONSE_BYTES = 256 << 20;

export class Transport {
  readonly #origin: URL;
  readonly #agent: Agent;
  readonly #idleTimeoutMs: number;

  constructor(options: TransportOptions) {
    this.#origin = new URL(options.url);
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    this.#agent = new Agent({
      keepAlive: true,
      ca: options.trust.certificate,
      // The certificate itself is pinned, so the name that the endpoint was reached by does not matter.
      checkServerIdentity: () => undefined,
    });
  }

  send(
    method: 'GET' | 'POST',
    path: string,
    options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal; idleTimeoutMs?: number } = {},
  ): Promise<JsonResponse> {
    const payload = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    const idleTimeoutMs = options.idleTimeoutMs ?? this.#idleTimeoutMs;
    return new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.#origin),
        {
          method,
          agent: this.#agent,
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
          incoming.on('error', reject);
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${path}: no answer for ${idleTimeoutMs} ms`)));
      outgoing.on('error', reject);
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

  close(): void {
    this.#agent.destroy();
  }
}
