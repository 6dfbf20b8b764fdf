// Whom a client believes to be the endpoint, decided after the TLS handshake and before anything is sent.
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { MethodFault } from '@vivarium/vim';

export type Trust =
  | {
      /** PEM of the very certificate that the endpoint must show, or of one that signed it; names do not matter then. */
      readonly certificate: string;
    }
  | {
      /** PEM of the authorities that may have signed the endpoint's certificate. */
      readonly authority: string;
      /** The name or address that the certificate must carry; default: what the URL names. */
      readonly name?: string;
    }
  | {
      /** SHA-1 or SHA-256 of the certificate, as vSphere's sslThumbprint (`AB:CD:…`); with or without colons, in any case. */
      readonly thumbprint: string;
    };

/** The endpoint is not the one that was to be trusted. Nothing was sent to it. */
export class UntrustedPeer extends Error {
  override readonly name = 'UntrustedPeer';
  /** SHA-1 of what it showed, as vSphere writes thumbprints: `AB:CD:…`. */
  readonly thumbprint: string;
  /** SHA-256 in the same form. */
  readonly thumbprint256: string;
  /** PEM of what it showed. */
  readonly certificate: string;
  readonly selfSigned: boolean;

  constructor(why: string, shown: X509Certificate) {
    super(`the endpoint is not trusted: ${why}; its certificate has the thumbprint ${shown.fingerprint}`);
    this.thumbprint = shown.fingerprint;
    this.thumbprint256 = shown.fingerprint256;
    this.certificate = shown.toString();
    this.selfSigned = shown.checkIssued(shown) && shown.verify(shown.publicKey);
  }

  /** As vCenter tells its clients: they may show the thumbprint to somebody who knows it, and come again with it. */
  toFault(): MethodFault<'SSLVerifyFault'> {
    const { selfSigned, thumbprint, certificate } = this;
    return new MethodFault('SSLVerifyFault', { selfSigned, thumbprint, certificate }, this.message, { cause: this });
  }
}

/** PEM of the authorities against which the handshake itself checks the chain. */
export function authoritiesOf(trust: Trust): string | undefined {
  if ('certificate' in trust) return trust.certificate;
  return 'authority' in trust ? trust.authority : undefined;
}

/** Throws UntrustedPeer when what the endpoint has shown does not satisfy `trust`. `host` is what the URL names. */
export function checkPeer(trust: Trust, socket: TLSSocket, host: string): void {
  const shown = socket.getPeerX509Certificate();
  if (!shown) throw new Error('the endpoint has shown no certificate');
  if ('thumbprint' in trust) {
    if (!hasThumbprint(shown, trust.thumbprint)) throw new UntrustedPeer('another thumbprint was expected', shown);
    return;
  }
  if ('certificate' in trust && shown.raw.equals(new X509Certificate(trust.certificate).raw)) return;
  if (!socket.authorized) throw new UntrustedPeer(String(socket.authorizationError), shown);
  if (!('authority' in trust)) return;
  const name = trust.name ?? host;
  if (!hasName(shown, name)) throw new UntrustedPeer(`its certificate is not for ${name}`, shown);
}

function hasName(shown: X509Certificate, name: string): boolean {
  if (isIP(name)) return shown.checkIP(name) !== undefined;
  return shown.checkHost(name, { subject: 'never' }) !== undefined;
}

function hasThumbprint(shown: X509Certificate, wanted: string): boolean {
  const plain = (text: string) => text.replaceAll(/[:\s]/g, '').toUpperCase();
  return [shown.fingerprint, shown.fingerprint256].some((own) => plain(own) === plain(wanted));
}
