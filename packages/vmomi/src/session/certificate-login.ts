// Logins by TLS client certificate: what a daemon has to say about them.
import type { X509Certificate } from 'node:crypto';
import type { Principal } from '../account/user-directory.ts';

/**
 * Who a client is that names this extension and has shown these certificates, its own first; undefined when it is nobody that
 * may log in so.
 */
export type CertificateLogin = (extensionKey: string, chain: readonly X509Certificate[]) => Principal | undefined;

/** How failures are counted: by certificate, so that nobody can lock out somebody else's. */
export function certificateSubject(certificate: X509Certificate): string {
  return `${CERTIFICATE}${certificate.fingerprint256}`;
}

export const CERTIFICATE = 'certificate ';
