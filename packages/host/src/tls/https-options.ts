// How the HTTPS door speaks TLS: with the host's certificate as it is now, asking clients for theirs.
import type { Server } from 'node:https';
import type { HostCertificates } from './host-certificates.ts';

type Certificates = Pick<HostCertificates, 'identity' | 'authorities' | 'onChange'>;

/** One is asked for, and who shows none, or a strange one, is let in: what it is good for is decided at the login. */
export function httpsOptions(certificates: Certificates) {
  return { ...secureContext(certificates), requestCert: true, rejectUnauthorized: false } as const;
}

/** New connections get what is in force; those that are open go on as they began. Returns the way to stop. */
export function followCertificates(server: Server, certificates: Certificates): () => void {
  return certificates.onChange(() => server.setSecureContext(secureContext(certificates)));
}

function secureContext({ identity, authorities }: Certificates) {
  return {
    key: identity.privateKey,
    cert: identity.certificate,
    // Named to the clients, so that they know which certificate to show.
    ca: authorities.certificates.map((certificate) => certificate.toString()),
    minVersion: 'TLSv1.2',
  } as const;
}
