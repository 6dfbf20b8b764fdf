// A host's certificate as HostCertificateManager tells of it. Pure.
import { X509Certificate } from 'node:crypto';
import { type HostCertificateManagerCertificateInfo, make } from '@vivarium/vim';
import { certificateStatus } from './certificate-status.ts';

export function certificateInfo(pem: string, nowMs: number): HostCertificateManagerCertificateInfo {
  const { subject, issuer, validFromDate, validToDate } = new X509Certificate(pem);
  return make('HostCertificateManagerCertificateInfo', {
    kind: 'Machine',
    issuer: issuer.replaceAll('\n', ','),
    notBefore: validFromDate.toISOString(),
    notAfter: validToDate.toISOString(),
    subject: subject.replaceAll('\n', ','),
    status: certificateStatus(validToDate.getTime(), nowMs),
  });
}
