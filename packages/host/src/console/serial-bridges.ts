// The network end of virtual serial ports (VirtualSerialPortURIBackingInfo): QEMU offers each such port as a unix socket, and
// here it is led to TCP, as server or as client, while the VM runs and the port is connected. One peer at a time, as on a real
// line; what the guest writes while nobody listens is lost.
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Clock, type Logger, type Timer } from '@vivarium/base';
import type { VirtualMachineConfigInfo } from '@vivarium/vim';
import { type SerialWish, serialWishes } from './serial-wish.ts';
import { TELNET_GREETING, telnetDecoding, telnetEncoding } from './telnet.ts';

/** Before a client tries again to reach its server. */
const RETRY_MS = 2_000;

export interface SerialPorts {
  readonly id: string;
  readonly config: VirtualMachineConfigInfo;
  /** The unix socket of a serial port (id of the machine model); `undefined` while the VM does not run. */
  serialSocket(device: string): string | undefined;
}

export interface SerialBridgesOptions {
  /** Where ports listen whose URI names no address. */
  readonly address: string;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Bridge {
  readonly wish: string;
  close(): void;
}

export class SerialBridges {
  readonly #options: SerialBridgesOptions;
  /** By VM and device. */
  readonly #bridges = new Map<string, Map<string, Bridge>>();

  constructor(options: SerialBridgesOptions) {
    this.#options = options;
  }

  /** Makes the VM's bridges as its configuration and power state say. Call it after every change of either. */
  follow(ports: SerialPorts, isRunning: boolean): void {
    const former = this.#bridges.get(ports.id) ?? new Map<string, Bridge>();
    const next = new Map<string, Bridge>();
    for (const wish of isRunning ? serialWishes(ports.config) : []) {
      const text = JSON.stringify(wish);
      const there = former.get(wish.device);
      const path = ports.serialSocket(wish.device);
      if (there?.wish === text) next.set(wish.device, there);
      else if (path !== undefined) {
        there?.close();
        next.set(wish.device, { wish: text, ...this.#open(ports.id, wish, path) });
      }
    }
    for (const [device, bridge] of former) if (!next.has(device)) bridge.close();
    if (next.size > 0) this.#bridges.set(ports.id, next);
    else this.#bridges.delete(ports.id);
  }

  /** Closes a VM's bridges and what is connected to them. */
  drop(id: string): void {
    for (const bridge of this.#bridges.get(id)?.values() ?? []) bridge.close();
    this.#bridges.delete(id);
  }

  close(): void {
    for (const id of [...this.#bridges.keys()]) this.drop(id);
  }

  #open(vm: string, wish: SerialWish, path: string): { close(): void } {
    const warn = (error: unknown, message: string) =>
      this.#options.log.warn({ vm, device: wish.device, port: wish.port, err: error }, message);
    return wish.direction === 'server'
      ? serve(wish, path, this.#options.address, warn)
      : call(wish, path, this.#options.clock, warn);
  }
}

type Warn = (error: unknown, message: string) => void;

function serve(wish: SerialWish, path: string, address: string, warn: Warn): { close(): void } {
  let peer: Socket | undefined;
  const server: Server = createServer((socket) => {
    if (peer) {
      socket.destroy();
      return;
    }
    peer = socket;
    if (wish.protocol === 'telnet') socket.write(TELNET_GREETING);
    void join(socket, path, wish.protocol).finally(() => {
      peer = undefined;
    });
  });
  server.on('error', (error) => warn(error, 'a serial port could not be offered'));
  server.listen(wish.port, wish.host || address);
  return {
    close() {
      server.close();
      peer?.destroy();
    },
  };
}

function call(wish: SerialWish, path: string, clock: Clock, warn: Warn): { close(): void } {
  let isClosed = false;
  let isWarned = false;
  let socket: Socket | undefined;
  let timer: Timer | undefined;
  const dial = () => {
    const attempt = connect({ host: wish.host, port: wish.port });
    socket = attempt;
    attempt.once('connect', () => void join(attempt, path, wish.protocol));
    attempt.once('error', (error) => {
      if (!isWarned && !isClosed) warn(error, 'the service of a serial port cannot be reached; it is tried again');
      isWarned = true;
    });
    attempt.once('close', () => {
      if (!isClosed) timer = clock.setTimer(RETRY_MS, dial);
    });
  };
  dial();
  return {
    close() {
      isClosed = true;
      timer?.cancel();
      socket?.destroy();
    },
  };
}

/** Carries bytes both ways until either end is gone; then both are. */
async function join(peer: Socket, path: string, protocol: SerialWish['protocol']): Promise<void> {
  const line = connect(path);
  const end = () => {
    line.destroy();
    peer.destroy();
  };
  const [toPeer, toLine]: [Duplex[], Duplex[]] =
    protocol === 'telnet' ? [[telnetEncoding()], [telnetDecoding()]] : [[], []];
  const ways = [pipeline([line, ...toPeer, peer]), pipeline([peer, ...toLine, line])];
  await Promise.race(ways.map((way) => way.catch(() => undefined)));
  end();
  await Promise.allSettled(ways);
}
