// wss://host/ticket/<ticket>: the VM's VNC stream in binary websocket frames, as VMware's webmks tickets are used.
// The byte stream is relayed unseen; the ticket is the only authority.
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '@vivarium/base';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ConsoleTickets } from './console-tickets.ts';

const PATH = /^\/ticket\/([0-9a-f]{48})$/;
/** Bytes that a slow viewer may have waiting before the VMM's side is paused. */
const HIGH_WATER_BYTES = 4 << 20;
const MAX_FRAME_BYTES = 1 << 20;

export interface ConsoleDoor {
  readonly tickets: ConsoleTickets;
  /** Path of the VM's VNC socket; `undefined` when the VM does not run. */
  vncSocket(vm: string): string | undefined;
  /** A screen was opened (1) or closed (-1). */
  count(vm: string, change: 1 | -1): void;
  readonly log: Logger;
}

/** Serves console tickets on the upgrade requests of `server`; any other upgrade is refused. */
export function openConsoleDoor(server: Server, door: ConsoleDoor): { close(): void } {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('binary') ? 'binary' : (offered.values().next().value ?? false)),
  });
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const match = PATH.exec(request.url ?? '');
    const ticket = match?.[1] ? door.tickets.redeem(match[1]) : undefined;
    const path = ticket && door.vncSocket(ticket.vm);
    if (!path) return refuse(socket);
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      door.count(ticket.vm, 1);
      webSocket.once('close', () => door.count(ticket.vm, -1));
      relay(webSocket, path, door.log);
    });
  };
  server.on('upgrade', onUpgrade);
  return {
    close() {
      server.off('upgrade', onUpgrade);
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}

// The server has let go of the socket: nobody else hears of its errors, or closes it when the client does not.
function refuse(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

function relay(webSocket: WebSocket, path: string, log: Logger): void {
  const vnc = connect(path);
  vnc.on('data', (chunk) => {
    webSocket.send(chunk, () => {
      if (vnc.isPaused() && webSocket.bufferedAmount < HIGH_WATER_BYTES) vnc.resume();
    });
    if (webSocket.bufferedAmount >= HIGH_WATER_BYTES) vnc.pause();
  });
  vnc.on('error', (error) => {
    log.warn({ err: error }, 'console relay lost the VNC socket');
    webSocket.close(1011);
  });
  vnc.on('close', () => webSocket.close(1000));
  webSocket.on('message', (data: Buffer) => {
    if (!vnc.write(data)) {
      webSocket.pause();
      vnc.once('drain', () => webSocket.resume());
    }
  });
  webSocket.on('error', () => vnc.destroy());
  webSocket.on('close', () => vnc.destroy());
}
