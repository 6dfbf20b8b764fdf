// The authorities whose certificates log in clients, and what they have revoked. Read from texts once; then data.
import { X509Certificate } from 'node:crypto';
import { MethodFault } from '@vivarium/vim';
import { certificateExtensions } from './certificate-extensions.ts';
import { fingerprintOfKey } from './key-fingerprint.ts';
import type { RevocationList } from './revocation-lists.ts';

export interface TrustedAuthorities {
  readonly certificates: readonly X509Certificate[];
  readonly revocationLists: readonly RevocationList[];
}

/** As they are kept in the store. */
export interface AuthorityTexts {
  /** PEM, one certificate each. */
  readonly certificates: readonly string[];
  readonly revocationLists: readonly RevocationList[];
}

export const NO_AUTHORITIES: AuthorityTexts = { certificates: [], revocationLists: [] };

const MOST_CERTIFICATES = 200;

export function trustedAuthorities({ certificates, revocationLists }: AuthorityTexts): TrustedAuthorities {
  return { certificates: certificates.map((pem) => new X509Certificate(pem)), revocationLists };
}

/** The authorities of an administrator's list. Fault: PlatformConfigFault when one is no certificate of an authority. */
export function parseAuthorities(texts: readonly string[]): X509Certificate[] {
  const found = texts.flatMap((text) => {
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    if (!blocks) throw badAuthority('is no certificate in PEM form');
    return blocks.map(parseAuthority);
  });
  const unique = new Map(found.map((certificate) => [certificate.fingerprint256, certificate]));
  if (unique.size > MOST_CERTIFICATES) throw badAuthority(`list has more than ${MOST_CERTIFICATES} certificates`);
  return [...unique.values()];
}

function parseAuthority(pem: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
    certificateExtensions(certificate);
    fingerprintOfKey(certificate);
  } catch (error) {
    throw badAuthority('cannot be read', error);
  }
  if (!certificate.ca) throw badAuthority(`is not for an authority: ${certificate.subject.replaceAll('\n', ',')}`);
  return certificate;
}

function badAuthority(why: string, cause?: unknown): MethodFault {
  const text = `An authority's certificate ${why}.`;
  return new MethodFault('PlatformConfigFault', { text }, text, { cause }) as MethodFault;
}
