// Whether a client's certificate leads to an authority that is trusted. Pure; the time is an argument.
// Source: RFC 5280, section 6; what OpenSSL checks for the purpose "sslclient". Policies and name constraints are not
// understood, so certificates with critical ones are refused.
import type { X509Certificate } from 'node:crypto';
import { certificateExtensions } from './certificate-extensions.ts';
import { fingerprintOfKey } from './key-fingerprint.ts';
import { plainSerial } from './serial-number.ts';
import type { TrustedAuthorities } from './trusted-authorities.ts';

export type Verdict = { readonly isGood: true } | { readonly isGood: false; readonly why: string };

/** Key usage, extended key usage, basic constraints, subject alternative name. */
const UNDERSTOOD: ReadonlySet<string> = new Set(['2.5.29.15', '2.5.29.37', '2.5.29.19', '2.5.29.17']);
const CLIENT_AUTH: readonly string[] = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
/** Deeper chains are nobody's. */
const MOST_LEVELS = 8;

/** `chain`: the client's certificate, then those that it has shown with it, in any order. */
export function verifyClient(
  chain: readonly [X509Certificate, ...X509Certificate[]],
  trusted: TrustedAuthorities,
  nowMs: number,
): Verdict {
  const [own, ...shown] = chain;
  try {
    const why = notForClients(own) ?? unusable(own, nowMs) ?? noWayUp(own, shown, trusted, nowMs, 0);
    return why === undefined ? { isGood: true } : { isGood: false, why };
  } catch (error) {
    return { isGood: false, why: `it cannot be read: ${String(error)}` };
  }
}

function notForClients(own: X509Certificate): string | undefined {
  const { keyUsage } = certificateExtensions(own);
  if (keyUsage && !keyUsage.has('digitalSignature')) return 'its key must not sign';
  // Node calls the extended key usage so; undefined: for any purpose.
  const purposes = own.keyUsage as readonly string[] | undefined;
  if (purposes && !purposes.some((purpose) => CLIENT_AUTH.includes(purpose))) return 'it is not for clients';
  return undefined;
}

function unusable(certificate: X509Certificate, nowMs: number): string | undefined {
  if (nowMs < certificate.validFromDate.getTime()) return 'it is not valid yet';
  if (nowMs > certificate.validToDate.getTime()) return 'it has expired';
  if (/md5|sha1(?!\d)/i.test(certificate.signatureAlgorithm ?? '')) return 'its signature is weak';
  const unknown = certificateExtensions(certificate).critical.find((id) => !UNDERSTOOD.has(id));
  return unknown === undefined ? undefined : `its critical extension ${unknown} is not understood`;
}

/** Undefined when an authority above is trusted; otherwise the reason, the most telling that was met. */
function noWayUp(
  certificate: X509Certificate,
  shown: readonly X509Certificate[],
  trusted: TrustedAuthorities,
  nowMs: number,
  authoritiesBelow: number,
): string | undefined {
  if (authoritiesBelow >= MOST_LEVELS) return 'its chain is too long';
  let why = 'no trusted authority has signed it';
  const signs = (issuer: X509Certificate) => isSignedBy(certificate, issuer);
  const candidates = [
    ...trusted.certificates.filter(signs).map((issuer) => ({ issuer, isTrusted: true })),
    ...shown.filter(signs).map((issuer) => ({ issuer, isTrusted: false })),
  ];
  for (const { issuer, isTrusted } of candidates) {
    const refused =
      unfitAuthority(issuer, authoritiesBelow) ??
      (isRevoked(certificate, issuer, trusted) ? 'it has been revoked' : undefined) ??
      prefixed('the authority: ', unusable(issuer, nowMs)) ??
      (isTrusted ? undefined : noWayUp(issuer, without(shown, issuer), trusted, nowMs, authoritiesBelow + 1));
    if (refused === undefined) return undefined;
    why = refused;
  }
  return why;
}

function unfitAuthority(issuer: X509Certificate, authoritiesBelow: number): string | undefined {
  if (!issuer.ca) return 'who has signed it is no authority';
  const { keyUsage, pathLength } = certificateExtensions(issuer);
  if (keyUsage && !keyUsage.has('keyCertSign')) return 'who has signed it must not sign certificates';
  if (pathLength !== undefined && authoritiesBelow > pathLength) return 'its chain is longer than an authority allows';
  return undefined;
}

// A list that is out of date still says who must not be let in; that it says no more does not lock everybody out.
function isRevoked(
  certificate: X509Certificate,
  issuer: X509Certificate,
  { revocationLists }: TrustedAuthorities,
): boolean {
  if (revocationLists.length === 0) return false;
  const key = fingerprintOfKey(issuer);
  const serial = plainSerial(certificate.serialNumber);
  return revocationLists.some(({ authorityKey, serials }) => authorityKey === key && serials.includes(serial));
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function without(list: readonly X509Certificate[], gone: X509Certificate): X509Certificate[] {
  return list.filter((one) => one !== gone);
}

function prefixed(prefix: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : prefix + text;
}
