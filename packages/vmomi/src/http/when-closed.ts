// Who waits for the end of a connection. A connection carries one request after the other, thousands of them: it is listened to once.
import type { Socket } from 'node:net';

const waiting = new WeakMap<Socket, Set<() => void>>();

/** Runs `run` when the connection ends, at once when it has ended; the returned function takes it back. */
export function whenClosed(socket: Socket, run: () => void): () => void {
  if (socket.destroyed) {
    run();
    return () => undefined;
  }
  const runs = waiting.get(socket) ?? listen(socket);
  runs.add(run);
  return () => void runs.delete(run);
}

function listen(socket: Socket): Set<() => void> {
  const runs = new Set<() => void>();
  waiting.set(socket, runs);
  socket.once('close', () => {
    for (const run of runs) run();
  });
  return runs;
}
