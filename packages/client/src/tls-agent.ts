// A pool of keep-alive TLS connections to one endpoint. A connection is handed out only when the peer is trusted.
import { Agent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { checkPeer, type Trust } from './trust.ts';

/** A certificate of one's own that is shown to the endpoint when it asks for one. */
export interface ClientIdentity {
  /** PEM, followed by those that lead to the authority, if any. */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: string;
}

export interface TlsAgentOptions {
  readonly trust: Trust;
  readonly secureContext: SecureContext;
  readonly mostConnections: number;
  /** For TCP and TLS together, in milliseconds without progress. */
  readonly connectTimeoutMs: number;
}

const KEEP_ALIVE_MS = 30_000;

type Created = (error: Error | null, socket: Duplex) => void;

export class TlsAgent extends Agent {
  readonly #options: TlsAgentOptions;

  constructor(options: TlsAgentOptions) {
    super({ keepAlive: true, maxSockets: options.mostConnections });
    this.#options = options;
  }

  override createConnection(target: { host?: string | null; port?: string | number | null }, created?: Created): null {
    const { trust, secureContext, connectTimeoutMs } = this.#options;
    const host = (target.host ?? 'localhost').replace(/^\[|\]$/g, '');
    const socket = connect({
      host,
      port: Number(target.port ?? 443),
      secureContext,
      // Addresses are not sent as server names (RFC 6066).
      ...(isIP(host) ? {} : { servername: host }),
      rejectUnauthorized: false, // checkPeer decides
    });
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    const settled = (error: Error | null) => {
      socket.off('secureConnect', onConnect);
      socket.off('error', settled);
      socket.off('timeout', onTimeout);
      socket.off('close', onClose);
      socket.setTimeout(0);
      if (error) socket.on('error', () => undefined).destroy();
      created?.(error, socket);
    };
    const onConnect = () => settled(refusal(trust, socket, host));
    const onTimeout = () => settled(new Error(`no connection to ${host} within ${connectTimeoutMs} ms`));
    const onClose = () => settled(new Error(`${host} closed the connection during the handshake`));
    socket.setTimeout(connectTimeoutMs);
    socket.once('secureConnect', onConnect).once('error', settled).once('timeout', onTimeout).once('close', onClose);
    return null;
  }
}

function refusal(trust: Trust, socket: TLSSocket, host: string): Error | null {
  try {
    checkPeer(trust, socket, host);
    return null;
  } catch (error) {
    return error as Error;
  }
}
