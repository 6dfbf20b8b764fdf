// Reads a disk that another process offers over NBD: fixed newstyle negotiation, one export, reads only, one at a time.
// Source: the NBD protocol, https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
import { connect, type Socket } from 'node:net';
import { Mutex } from '@vivarium/base';

const IHAVEOPT = 0x49484156454f5054n;
const NBDMAGIC = 0x4e42444d41474943n;
const OPTION_REPLY = 0x3e889045565a9n;
const REQUEST = 0x25609513;
const SIMPLE_REPLY = 0x67446698;
const FIXED_NEWSTYLE_NO_ZEROES = 3;
const OPT_GO = 7;
const REP_ACK = 1;
const REP_INFO = 3;
const INFO_EXPORT = 0;
const CMD_READ = 0;
/** What a server must accept without having said so (proto.md, "Block sizes"). */
const MAX_READ_BYTES = 32 * 1024 * 1024;
/** Longest reply to an option that makes sense. */
const MAX_REPLY_BYTES = 4096;

export class NbdClient {
  readonly sizeBytes: number;
  readonly #socket: Socket;
  readonly #turns = new Mutex();
  #cookie = 0n;

  private constructor(socket: Socket, sizeBytes: number) {
    this.#socket = socket;
    this.sizeBytes = sizeBytes;
  }

  /** Connects to the default export behind a Unix socket. Rejects when nobody listens or the other side is no NBD server. */
  static async connect(path: string): Promise<NbdClient> {
    const socket = connect(path);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
      socket.on('error', () => undefined); // whoever reads hears of it
      return new NbdClient(socket, await negotiate(socket));
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** The bytes at `offset`; `length` up to MAX_READ_BYTES. Rejects when the server fails or goes away. */
  read(offset: number, length: number): Promise<Buffer> {
    if (length > MAX_READ_BYTES) throw new RangeError(`an NBD read of ${length} bytes`);
    return this.#turns.run(async () => {
      const request = Buffer.alloc(28);
      request.writeUInt32BE(REQUEST, 0);
      request.writeUInt16BE(CMD_READ, 6);
      this.#cookie += 1n;
      request.writeBigUInt64BE(this.#cookie, 8);
      request.writeBigUInt64BE(BigInt(offset), 16);
      request.writeUInt32BE(length, 24);
      this.#socket.write(request);
      const reply = await take(this.#socket, 16);
      if (reply.readUInt32BE(0) !== SIMPLE_REPLY || reply.readBigUInt64BE(8) !== this.#cookie) {
        throw this.#broken('an NBD reply to something else');
      }
      const error = reply.readUInt32BE(4);
      if (error !== 0) throw new Error(`NBD read failed with error ${error}`);
      return await take(this.#socket, length);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #broken(what: string): Error {
    this.#socket.destroy();
    return new Error(what);
  }
}

/** Agrees on the default export; returns its size in bytes. */
async function negotiate(socket: Socket): Promise<number> {
  const greeting = await take(socket, 18);
  if (greeting.readBigUInt64BE(0) !== NBDMAGIC || greeting.readBigUInt64BE(8) !== IHAVEOPT) {
    throw new Error('not an NBD server');
  }
  const hello = Buffer.alloc(4 + 16 + 6);
  hello.writeUInt32BE(FIXED_NEWSTYLE_NO_ZEROES, 0);
  hello.writeBigUInt64BE(IHAVEOPT, 4);
  hello.writeUInt32BE(OPT_GO, 12);
  hello.writeUInt32BE(6, 16); // an empty export name, no requests for information
  socket.write(hello);
  let sizeBytes: number | undefined;
  for (;;) {
    const head = await take(socket, 20);
    const [type, length] = [head.readUInt32BE(12), head.readUInt32BE(16)];
    if (head.readBigUInt64BE(0) !== OPTION_REPLY || length > MAX_REPLY_BYTES)
      throw new Error('not an NBD option reply');
    const data = await take(socket, length);
    if (type === REP_ACK) break;
    if (type !== REP_INFO) throw new Error(`the NBD server refuses its export: ${type.toString(16)}`);
    if (length >= 12 && data.readUInt16BE(0) === INFO_EXPORT) sizeBytes = Number(data.readBigUInt64BE(2));
  }
  if (sizeBytes === undefined) throw new Error('the NBD server does not tell the size of its export');
  return sizeBytes;
}

/** Exactly `length` bytes off the socket. */
async function take(socket: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let missing = length; missing > 0; ) {
    const part = socket.read(Math.min(missing, socket.readableLength || missing)) as Buffer | null;
    if (part) {
      parts.push(part);
      missing -= part.length;
    } else await readable(socket);
  }
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
}

function readable(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed || socket.readableEnded) {
      reject(new Error('the NBD server went away'));
      return;
    }
    const settle = (outcome: () => void) => () => {
      socket.off('readable', onReadable);
      socket.off('close', onClose);
      outcome();
    };
    const onReadable = settle(resolve);
    const onClose = settle(() => reject(new Error('the NBD server went away')));
    socket.on('readable', onReadable);
    socket.on('close', onClose);
  });
}
