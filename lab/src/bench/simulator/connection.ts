// One TLS connection that carries one HTTP request at a time: a load generator's, with as little work of its own as can be.
// Reads what servers of the API send: a length or chunks, nothing zipped.
import { connect, type TLSSocket } from 'node:tls';

export interface Reply {
  readonly status: number;
  /** The cookie that was set, without its attributes. */
  readonly cookie: string | undefined;
  /** As Latin-1; empty when it was not kept. */
  readonly body: string;
  readonly bodyBytes: number;
  /** From the request to the first byte of the reply, and to the last one of its body. */
  readonly firstByteMs: number;
  readonly lastByteMs: number;
}

interface Pending {
  readonly sentMs: number;
  readonly keepsBody: boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

type Expecting = 'head' | 'sized' | 'chunkSize' | 'chunk' | 'trailer';

const NOTHING = Buffer.alloc(0);

export class Connection implements Disposable {
  readonly #socket: TLSSocket;
  #pending: Pending | undefined;
  #failure: Error | undefined;
  #expecting: Expecting = 'head';
  /** Of a head or a chunk's size that has not come whole yet. */
  #rest: Buffer = NOTHING;
  /** Bytes that the body or the chunk still has. */
  #left = 0;
  #body: string[] = [];
  #bodyBytes = 0;
  #firstByteMs = 0;
  #status = 0;
  #cookie: string | undefined;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server has closed the connection')));
  }

  static open(host: string, port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, rejectUnauthorized: false }, () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
      socket.once('error', reject);
    });
  }

  /** `request`: head and body. One at a time. */
  send(request: Buffer, { keepsBody = true }: { readonly keepsBody?: boolean } = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      if (this.#pending) return reject(new Error('a request is under way'));
      this.#pending = { sentMs: performance.now(), keepsBody, resolve, reject };
      this.#expecting = 'head';
      this.#socket.write(request);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#pending?.reject(this.#failure);
    this.#pending = undefined;
  }

  #take(data: Buffer): void {
    let at = 0;
    if (this.#rest.length > 0) {
      data = Buffer.concat([this.#rest, data]);
      this.#rest = NOTHING;
    }
    if (this.#expecting === 'head' && this.#firstByteMs === 0) this.#firstByteMs = performance.now();
    while (at < data.length && this.#pending) {
      if (this.#expecting === 'sized' || this.#expecting === 'chunk') {
        const end = Math.min(data.length, at + this.#left);
        this.#keep(data, at, end);
        this.#left -= end - at;
        at = end;
        if (this.#left > 0) return;
        if (this.#expecting === 'sized') this.#finish();
        else this.#expecting = 'trailer';
        continue;
      }
      const end = data.indexOf(this.#expecting === 'head' ? '\r\n\r\n' : '\r\n', at, 'latin1');
      if (end < 0) {
        this.#rest = data.subarray(at);
        return;
      }
      const line = data.toString('latin1', at, end);
      at = end + (this.#expecting === 'head' ? 4 : 2);
      if (this.#expecting === 'head') this.#begin(line);
      else if (this.#expecting === 'trailer') this.#expecting = 'chunkSize';
      else if (line !== '') this.#beginChunk(Number.parseInt(line, 16));
    }
  }

  #begin(head: string): void {
    this.#status = Number(head.slice(9, 12));
    this.#cookie = /\r\nset-cookie: ([^;\r]*)/i.exec(head)?.[1];
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    this.#left = Number(length ?? 0);
    this.#expecting = length === undefined ? 'chunkSize' : 'sized';
    if (length === '0') this.#finish();
  }

  /** The chunk of no bytes is the last one; the empty line behind it comes with it, or before the next head. */
  #beginChunk(size: number): void {
    this.#left = size;
    this.#expecting = 'chunk';
    if (size === 0) this.#finish();
  }

  #keep(data: Buffer, from: number, to: number): void {
    this.#bodyBytes += to - from;
    if (this.#pending?.keepsBody) this.#body.push(data.toString('latin1', from, to));
  }

  #finish(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    const reply = {
      status: this.#status,
      cookie: this.#cookie,
      body: this.#body.length === 1 ? (this.#body[0] ?? '') : this.#body.join(''),
      bodyBytes: this.#bodyBytes,
      firstByteMs: this.#firstByteMs - (pending?.sentMs ?? 0),
      lastByteMs: performance.now() - (pending?.sentMs ?? 0),
    };
    this.#body = [];
    this.#bodyBytes = 0;
    this.#firstByteMs = 0;
    pending?.resolve(reply);
  }
}
