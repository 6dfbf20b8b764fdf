// The certificates that a client has shown in the TLS handshake. Nothing is said about whether they are good.
import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Longer chains are cut off: nobody can follow them. */
const MOST_CERTIFICATES = 8;

/** The client's own first, then those that lead to its authority as far as they are known; none without one. */
export function clientCertificates(socket: Socket): readonly X509Certificate[] {
  if (!(socket instanceof TLSSocket)) return [];
  const chain: X509Certificate[] = [];
  let shown = socket.getPeerCertificate(true);
  while (isCertificate(shown) && chain.length < MOST_CERTIFICATES) {
    chain.push(new X509Certificate(shown.raw));
    if (shown.issuerCertificate === shown) break;
    shown = shown.issuerCertificate;
  }
  return chain;
}

// Node answers an empty object where there is none.
function isCertificate(shown: unknown): shown is { readonly raw: Buffer } {
  return typeof shown === 'object' && shown !== null && 'raw' in shown;
}
