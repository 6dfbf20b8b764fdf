// Tells keys apart, whichever certificate they are in.
import { createHash, type X509Certificate } from 'node:crypto';

/** SHA-256 of the certificate's public key, hex. */
export function fingerprintOfKey(certificate: Pick<X509Certificate, 'publicKey'>): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}
