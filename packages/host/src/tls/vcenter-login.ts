// The account of vCenter on its hosts, and the way in to it: no password, but a certificate of an authority that the host trusts.
import type { Clock, Logger } from '@vivarium/base';
import type { CertificateLogin, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { HostCertificates } from './host-certificates.ts';
import { verifyClient } from './verify-client.ts';

/** Under which vCenter logs in by certificate. */
const EXTENSION_KEY = 'com.vmware.vim';

/** Named as on ESXi. */
const VPXUSER = { userName: 'vpxuser', fullName: 'VMware VirtualCenter administration account', groups: [] } as const;

export function vcenterLogin(options: {
  readonly certificates: Pick<HostCertificates, 'authorities'>;
  readonly clock: Clock;
  readonly log: Logger;
}): CertificateLogin {
  return (extensionKey, chain) => {
    const [own, ...shown] = chain;
    if (!own || extensionKey !== EXTENSION_KEY) return undefined;
    const verdict = verifyClient([own, ...shown], options.certificates.authorities, options.clock.now());
    if (verdict.isGood) return VPXUSER;
    const { subject, fingerprint256: fingerprint } = own;
    options.log.warn({ subject, fingerprint, why: verdict.why }, 'a client certificate was refused');
    return undefined;
  };
}

/** The account with its rights, as ESXi lists it. */
export async function ensureVcenterAccount({ accounts, authorization }: Service): Promise<void> {
  const { userName, fullName } = VPXUSER;
  await accounts.ensureServiceUser(userName, fullName);
  const isGranted = authorization.permissions(refs.rootFolder).some(({ principal }) => principal === userName);
  if (isGranted) return;
  await authorization.grantAdmin(userName);
}
