// From a socket path to a Monitor.

import { createConnection, type Socket } from 'node:net';
import { delay } from '@vivarium/base';
import { Monitor, type MonitorOptions, type WaitOptions } from './monitor.ts';

export interface ConnectOptions extends MonitorOptions, WaitOptions {
  /** How long to try again while there is no socket or nobody listens on it; absent = not at all. */
  readonly retryForMs?: number;
}

/** Poll interval while QEMU makes its socket: it is there some 30 ms after the start. */
const RETRY_MS = 3;

/** Connects to a monitor socket and enters command mode. Rejects with the system's error (ENOENT, ECONNREFUSED) or a monitor error. */
export async function connectMonitor(path: string, options: ConnectOptions): Promise<Monitor> {
  return await Monitor.open(await connectUnix(path, options), options);
}

/** Connects to a unix socket, trying again for `retryForMs` while nobody listens. */
export async function connectUnix(
  path: string,
  options: Pick<ConnectOptions, 'clock' | 'retryForMs' | 'signal'>,
): Promise<Socket> {
  const deadline = options.clock.monotonic() + (options.retryForMs ?? 0);
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      return await connectOnce(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isNotYet = code === 'ENOENT' || code === 'ECONNREFUSED';
      if (!isNotYet || options.clock.monotonic() >= deadline) throw error;
    }
    await delay(options.clock, RETRY_MS, options.signal);
  }
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
