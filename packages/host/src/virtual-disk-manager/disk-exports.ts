// Thin disks as their raw bytes, for those who read: a jailed qemu-nbd serves the qcow2 chain, read-only, over a socket in
// a hidden folder of the datastore. A server is kept for a moment after its last reader, because clients come in many small
// ranges; it gives way at once to whoever wants to change the disk or to run it.
import { Readable } from 'node:stream';
import { delay, type Timer } from '@vivarium/base';
import { type Location, locationText } from '../datastore/datastore.ts';
import { splitPath } from '../datastore/datastore-path.ts';
import { checkNotInUse } from '../datastore/file-use.ts';
import { Workshop } from '../datastore/workshop.ts';
import type { ImageFile } from './disk-images.ts';
import { NbdClient } from './nbd-client.ts';
import { type DiskContext, programFolder } from './place-disk.ts';
import { diskChain, type VirtualDisk } from './virtual-disk.ts';

const IDLE_MS = 20_000;
const START_MS = 10_000;
const POLL_MS = 10;
const PIECE_BYTES = 1024 * 1024;
const SOCKET = 'nbd';

interface Export {
  readonly client: Promise<NbdClient>;
  /** Kills the server and clears up. Idempotent. */
  readonly end: () => void;
  readers: number;
  idle?: Timer | undefined;
}

export interface DiskReading {
  readonly sizeBytes: number;
  /** The bytes from `start` to `end`, inclusive. */
  read(start: number, end: number): Readable;
  /** To be called once, when no stream of `read` is open any more. */
  release(): void;
}

export class DiskExports {
  readonly #context: DiskContext;
  readonly #open = new Map<string, Export>();
  /** Servers on their way out. */
  readonly #ending = new Set<Promise<void>>();

  constructor(context: DiskContext) {
    this.#context = context;
  }

  /** Faults: FileLocked (a running VM uses the disk, or somebody changes it). */
  async open(disk: VirtualDisk): Promise<DiskReading> {
    const { datastore, path } = disk.data.location;
    checkNotInUse(this.#context.use, datastore.absolute(path), locationText(disk.location));
    const key = disk.location.datastore.absolute(disk.location.path);
    const found = this.#open.get(key) ?? this.#start(key, disk);
    found.readers++;
    found.idle?.cancel();
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      found.readers--;
      if (found.readers === 0) found.idle = this.#context.datastores.clock.setTimer(IDLE_MS, found.end);
    };
    try {
      const client = await found.client;
      const read = (start: number, end: number) =>
        Readable.from(pieces(client, start, end), { objectMode: false, highWaterMark: PIECE_BYTES });
      return { sizeBytes: client.sizeBytes, read, release };
    } catch (error) {
      release();
      found.end();
      throw error;
    }
  }

  /** Ends all servers; resolves when nothing of them is left. */
  async close(): Promise<void> {
    for (const { end } of [...this.#open.values()]) end();
    await Promise.all(this.#ending);
  }

  #start(key: string, disk: VirtualDisk): Export {
    const stop = new AbortController();
    const holds: Disposable[] = [];
    const end = () => {
      if (this.#open.get(key) === started) this.#open.delete(key);
      started.idle?.cancel();
      for (const hold of holds) hold[Symbol.dispose]();
      stop.abort();
    };
    // Whoever wants the disk, or one below it, for itself gets it when nobody is reading at this moment.
    const giveWay = () => {
      if (started.readers > 0) return false;
      end();
      return true;
    };
    for (const { location } of diskChain(disk)) {
      const absolute = location.datastore.absolute(location.path);
      holds.push(this.#context.locks.share(absolute, locationText(location), giveWay));
    }
    const started: Export = { client: this.#serve(disk, stop.signal, end), end, readers: 0 };
    started.client.catch(() => undefined); // open() hears of it
    this.#open.set(key, started);
    return started;
  }

  async #serve(disk: VirtualDisk, signal: AbortSignal, end: () => void): Promise<NbdClient> {
    const { images, random } = this.#context;
    await using undo = new AsyncDisposableStack();
    const openFolder = async ({ datastore, path }: Location) => {
      const place = splitPath(path).folder;
      const handle = undo.use(await datastore.openFolder(place));
      return { handle, absolute: datastore.absolute(place) };
    };
    const chain: ImageFile[] = [];
    for (const { location, data } of diskChain(disk)) {
      const { handle, absolute } = await openFolder(location);
      chain.push({ folder: programFolder(handle, absolute), name: data.fileName, format: data.format });
    }
    // In the datastore's root: the disk's own folder may be removed while the server is on its way out.
    const { handle, absolute } = await openFolder({ datastore: disk.location.datastore, path: '' });
    const workshop = undo.use(await Workshop.open(handle, random));
    const socketFolder = programFolder(workshop.folder, `${absolute}/${workshop.name}`);
    let failure: Error | undefined;
    const over = images.serve(chain, { folder: socketFolder, name: SOCKET }, signal).catch((error: unknown) => {
      failure = error instanceof Error ? error : new Error('the disk server failed', { cause: error });
    });
    const things = undo.move();
    let client: NbdClient | undefined;
    const ending = over
      .then(async () => {
        client?.close();
        end();
        await things.disposeAsync();
      })
      .catch(() => undefined) // a hidden folder that stays is removed at the next start
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    client = await this.#connect(workshop, () => failure, signal);
    return client;
  }

  async #connect(workshop: Workshop, failure: () => Error | undefined, signal: AbortSignal): Promise<NbdClient> {
    const { clock } = this.#context.datastores;
    const until = clock.monotonic() + START_MS;
    for (;;) {
      const error = failure();
      if (error) throw error;
      try {
        return await NbdClient.connect(workshop.folder.at(SOCKET));
      } catch (cause) {
        if (clock.monotonic() > until) throw new Error('the disk server does not answer', { cause });
      }
      await delay(clock, POLL_MS, signal).catch((cause: unknown) => {
        throw failure() ?? cause; // a server that ended has aborted the wait
      });
    }
  }
}

async function* pieces(client: NbdClient, start: number, end: number): AsyncGenerator<Buffer> {
  for (let position = start; position <= end; ) {
    const piece = await client.read(position, Math.min(PIECE_BYTES, end - position + 1));
    position += piece.length;
    yield piece;
  }
}
