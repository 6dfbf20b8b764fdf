// How long a certificate is still good for, in vSphere's words. Pure.
// Source: vCenter's defaults of vpxd.certmgmt.certs.softThreshold (240 days) and its documentation of host certificates:
// expiring = less than eight months, expiringShortly = less than two, expirationImminent = less than one.
import type { HostCertificateManagerCertificateInfoCertificateStatus } from '@vivarium/vim';

const DAY_MS = 24 * 3600 * 1000;

const THRESHOLDS = [
  ['expired', 0],
  ['expirationImminent', 30],
  ['expiringShortly', 60],
  ['expiring', 240],
] as const;

export function certificateStatus(
  notAfterMs: number,
  nowMs: number,
): HostCertificateManagerCertificateInfoCertificateStatus {
  const daysLeft = (notAfterMs - nowMs) / DAY_MS;
  return THRESHOLDS.find(([, days]) => daysLeft <= days)?.[0] ?? 'good';
}
