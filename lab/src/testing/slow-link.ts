// A TCP relay that is as far away as you like: bytes take half the round trip each way, some segments are lost and come late by
// retransmission times, some connections are reset, some fall silent for ever. What happens to which byte of which connection
// follows from the seed alone; when it happens is real time.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { seededRandom } from './random.ts';

export interface SlowLinkOptions {
  /** Port on the loopback device that is relayed to. */
  readonly port: number;
  readonly roundTripMs: number;
  /** Share of segments that are lost at first. */
  readonly loss: number;
  /** Share of segments with which the connection is reset, and with which it falls silent. */
  readonly reset?: number;
  readonly silence?: number;
  readonly seed: number;
}

export interface SlowLink extends AsyncDisposable {
  readonly port: number;
  /** What has happened so far; `answered`: bytes from beyond the link. */
  readonly counts: Readonly<Record<'connections' | 'segments' | 'lost' | 'resets' | 'silences' | 'answered', number>>;
  /** Resets every connection that there is. */
  cut(): void;
  /** New connections lead there. */
  lead(port: number): void;
  /** Another fate for the segments to come. */
  setFaults(faults: { readonly reset: number; readonly silence: number }): void;
}

/** Bytes that share a fate: the smallest segment that IPv4 knows of, so that small messages have fates of their own. */
const SEGMENT = 536;
/** Bytes on the way in one direction before the sender has to wait: a window. */
const WINDOW = 1 << 20;

type Fate =
  | { readonly kind: 'arrives'; readonly lateMs: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' };

export async function openSlowLink(options: SlowLinkOptions): Promise<SlowLink> {
  const counts = { connections: 0, segments: 0, lost: 0, resets: 0, silences: 0, answered: 0 };
  let { port } = options;
  const faults = { reset: options.reset ?? 0, silence: options.silence ?? 0 };
  const pairs = new Set<Pair>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair = new Pair(near, far, () => pairs.delete(pair));
    pairs.add(pair);
    counts.connections += 1;
    const seed = options.seed + counts.connections * 2;
    const oneWayMs = options.roundTripMs / 2;
    // The first byte has the handshake of TCP before it.
    pair.relay(near, far, { next: fates(options, faults, counts, seed), oneWayMs, firstMs: options.roundTripMs });
    far.on('data', ({ length }: Buffer) => (counts.answered += length));
    pair.relay(far, near, { next: fates(options, faults, counts, seed + 1), oneWayMs, firstMs: 0 });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    cut() {
      for (const pair of pairs) pair.reset();
    },
    lead: (next) => void (port = next),
    setFaults: (next) => void Object.assign(faults, next),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const pair of pairs) pair.reset();
      await closed;
    },
  };
}

/** What happens to one segment after the other of one direction of a connection. */
function fates(
  { loss, roundTripMs }: SlowLinkOptions,
  faults: { readonly reset: number; readonly silence: number },
  counts: { segments: number; lost: number; resets: number; silences: number },
  seed: number,
): () => Fate {
  const random = seededRandom(seed);
  return () => {
    counts.segments += 1;
    const drawn = random();
    if (drawn < faults.reset) {
      counts.resets += 1;
      return { kind: 'reset' };
    }
    if (drawn < faults.reset + faults.silence) {
      counts.silences += 1;
      return { kind: 'silence' };
    }
    // Each time that it is lost again the sender waits twice as long (RFC 6298).
    let lateMs = 0;
    for (let waitMs = roundTripMs + 200; random() < loss; waitMs *= 2) {
      counts.lost += 1;
      lateMs += waitMs;
    }
    return { kind: 'arrives', lateMs };
  };
}

class Pair {
  readonly #sockets: readonly Socket[];
  readonly #gone: () => void;
  #isSilent = false;
  #isGone = false;

  constructor(near: Socket, far: Socket, gone: () => void) {
    this.#sockets = [near, far];
    this.#gone = gone;
    for (const socket of this.#sockets) socket.on('error', () => this.reset());
    for (const socket of this.#sockets) socket.on('close', () => this.#closed());
  }

  /** `firstMs`: what the first byte takes beyond `oneWayMs`. */
  relay(
    from: Socket,
    to: Socket,
    way: { readonly next: () => Fate; readonly oneWayMs: number; readonly firstMs: number },
  ): void {
    // What comes later waits behind what is late.
    let lastMs = performance.now() + way.oneWayMs + way.firstMs;
    let underWay = 0;
    let offset = 0;
    let fate = way.next();
    const queue: { readonly atMs: number; readonly bytes: Buffer | undefined }[] = [];
    // One timer at a time: several could overtake each other.
    const arrive = () => {
      for (let [next] = queue; next && next.atMs <= performance.now(); [next] = queue) {
        queue.shift();
        underWay -= next.bytes?.length ?? 0;
        if (underWay <= WINDOW) from.resume();
        if (this.#isSilent || this.#isGone) continue;
        if (next.bytes) to.write(next.bytes);
        else to.end();
      }
      if (queue[0]) setTimeout(arrive, Math.max(1, queue[0].atMs - performance.now()));
    };
    const deliver = (bytes: Buffer | undefined, lateMs: number) => {
      const now = performance.now();
      lastMs = Math.max(lastMs, now + way.oneWayMs + lateMs);
      underWay += bytes?.length ?? 0;
      if (underWay > WINDOW) from.pause();
      queue.push({ atMs: lastMs, bytes });
      if (queue.length === 1) setTimeout(arrive, lastMs - now);
    };
    from.on('data', (data: Buffer) => {
      for (let rest = data; rest.length > 0 && !this.#isGone; ) {
        const part = rest.subarray(0, SEGMENT - offset);
        rest = rest.subarray(part.length);
        if (fate.kind === 'reset') return this.reset();
        if (fate.kind === 'silence') this.#isSilent = true;
        else deliver(part, fate.lateMs);
        offset += part.length;
        if (offset < SEGMENT) continue;
        offset = 0;
        fate = way.next();
      }
    });
    from.on('end', () => deliver(undefined, 0));
  }

  reset(): void {
    this.#isGone = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #closed(): void {
    if (this.#sockets.every((socket) => socket.closed)) this.#gone();
  }
}
