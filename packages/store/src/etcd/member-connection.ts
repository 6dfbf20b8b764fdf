// gRPC over HTTP/2 (grpc's PROTOCOL-HTTP2.md) to one etcd member: one session, made when it is needed, made again when it broke.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '@vivarium/base';
import { GrpcError, grpcStatus } from './grpc-error.ts';

const WINDOW_BYTES = 16 << 20;
/** No answer of etcd's is greater: pages are bounded, requests are. */
const MOST_MESSAGE_BYTES = 256 << 20;

export type Metadata = Readonly<Record<string, string>>;

export interface StreamEvents {
  message(bytes: Buffer): void;
  /** Once, at the end; without an error when the server ended the stream in order. */
  end(error: GrpcError | undefined): void;
}

export interface GrpcStream {
  send(message: Buffer): void;
  /** Nothing more will be sent. */
  finish(): void;
  cancel(reason: GrpcError): void;
}

export class MemberConnection {
  readonly url: string;
  readonly #tls: SecureContextOptions;
  readonly #clock: Clock;
  #session: ClientHttp2Session | undefined;

  /** `url`: http://host:port or https://host:port. */
  constructor(url: string, tls: SecureContextOptions, clock: Clock) {
    this.url = url;
    this.#tls = tls;
    this.#clock = clock;
  }

  /** One request, one answer. Rejects with GrpcError, at the latest after `timeoutMs`. */
  unary(path: string, request: Buffer, metadata: Metadata, timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      const stream = this.stream(path, metadata, {
        message: (bytes) => {
          answer = bytes;
        },
        end: (error) => {
          timer.cancel();
          if (error) reject(error);
          else if (answer) resolve(answer);
          else reject(new GrpcError(grpcStatus.unavailable, `${path}: no answer`));
        },
      });
      const timer = this.#clock.setTimer(timeoutMs, () => {
        stream.cancel(new GrpcError(grpcStatus.deadlineExceeded, `${this.url}${path}: no answer in ${timeoutMs} ms`));
        this.probe(timeoutMs);
      });
      stream.send(request);
      stream.finish();
    });
  }

  stream(path: string, metadata: Metadata, events: StreamEvents): GrpcStream {
    const session = this.#open();
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...metadata,
    });
    return driveStream(stream, path, events);
  }

  /** Breaks the session unless the member answers a ping in time: a peer that is gone without a word is noticed. */
  probe(timeoutMs: number): void {
    const session = this.#session;
    if (!session || session.destroyed) return;
    const fail = () => session.destroy(new Error(`${this.url} does not answer`));
    const timer = this.#clock.setTimer(timeoutMs, fail);
    // A session that is still connecting refuses to ping; the timer then decides.
    if (!session.connecting) session.ping((error) => (error ? fail() : timer.cancel()));
    else session.once('connect', () => timer.cancel());
  }

  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #open(): ClientHttp2Session {
    if (this.#session && !this.#session.destroyed && !this.#session.closed) return this.#session;
    const session = connect(this.url, { ...this.#tls, settings: { initialWindowSize: WINDOW_BYTES } });
    session.on('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    session.on('error', () => undefined); // every stream of it hears of it
    // The server goes away: running streams may end, new ones go to a new session.
    session.on('goaway', () => session.close());
    this.#session = session;
    return session;
  }
}

function driveStream(stream: ClientHttp2Stream, path: string, events: StreamEvents): GrpcStream {
  let failure: GrpcError | undefined;
  let status: { code: number; message: string } | undefined;
  let isOver = false;
  let wasAnswered = false;
  const reader = new FrameReader();
  const noteStatus = (headers: Readonly<Record<string, unknown>>) => {
    wasAnswered = true;
    if (headers['grpc-status'] === undefined) return;
    const text = String(headers['grpc-message'] ?? '');
    status = { code: Number(headers['grpc-status']), message: decodeText(text) };
  };
  const end = (error: GrpcError | undefined) => {
    if (isOver) return;
    isOver = true;
    events.end(error);
  };
  stream.on('response', (headers) => {
    if (headers[':status'] !== 200) {
      failure = new GrpcError(grpcStatus.unavailable, `${path}: HTTP ${headers[':status']}`);
    }
    noteStatus(headers);
  });
  stream.on('trailers', noteStatus);
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const message of reader.push(chunk)) if (!isOver) events.message(message);
    } catch (cause) {
      failure = new GrpcError(grpcStatus.unavailable, `${path}: not understood`, { cause });
      stream.close(constants.NGHTTP2_CANCEL);
    }
  });
  stream.on('error', (cause: NodeJS.ErrnoException) => {
    // Refused connections and streams refused by a server that goes away were not worked on.
    const isUnsent =
      !wasAnswered && (cause.code === 'ECONNREFUSED' || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM);
    failure ??= new GrpcError(grpcStatus.unavailable, `${path}: ${cause.message}`, { isUnsent, cause });
  });
  stream.on('close', () => {
    if (failure) end(failure);
    else if (!status) end(new GrpcError(grpcStatus.unavailable, `${path}: the stream broke off`));
    else if (status.code !== 0) end(new GrpcError(status.code, status.message));
    else end(undefined);
  });
  return {
    send: (message) => {
      if (stream.writable) stream.write(frame(message));
    },
    finish: () => stream.end(),
    cancel: (reason) => {
      failure ??= reason;
      stream.close(constants.NGHTTP2_CANCEL);
      end(failure);
    },
  };
}

/** A byte that says "not compressed", four of length, the message. */
function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(5 + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, 5);
  return framed;
}

class FrameReader {
  #parts: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    const messages: Buffer[] = [];
    for (let size = this.#nextSize(); size !== undefined && this.#length >= size; size = this.#nextSize()) {
      const all = this.#joined();
      messages.push(all.subarray(5, size));
      this.#parts = [all.subarray(size)];
      this.#length -= size;
    }
    return messages;
  }

  /** Of the frame that begins here, with its head. */
  #nextSize(): number | undefined {
    if (this.#length < 5) return undefined;
    const head = (this.#parts[0]?.length ?? 0) >= 5 ? (this.#parts[0] as Buffer) : this.#joined();
    if (head[0] !== 0) throw new Error('a compressed message, which was not asked for');
    const size = 5 + head.readUInt32BE(1);
    if (size > MOST_MESSAGE_BYTES) throw new Error(`a message of ${size} bytes`);
    return size;
  }

  #joined(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts, this.#length)];
    return this.#parts[0] ?? Buffer.alloc(0);
  }
}

/** gRPC's percent encoding of messages. */
function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
