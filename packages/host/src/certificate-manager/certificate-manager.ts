// The managed object HostCertificateManager: the host's certificate and the authorities whose clients it lets in.
// Source: vSphere Web Services API, HostCertificateManager.
import { type Handlers, type HostCertificateManagerCertificateInfo, MethodFault, moRef } from '@vivarium/vim';
import type { Call, Service } from '@vivarium/vmomi';
import { refs } from '../inventory/refs.ts';
import type { HostCertificates } from '../tls/host-certificates.ts';
import { certificateInfo } from './certificate-info.ts';

export interface CertificateManagerOptions {
  readonly service: Pick<Service, 'graph' | 'clock' | 'sessions' | 'log'>;
  readonly certificates: HostCertificates;
  /** The name that a signing request is for. */
  readonly name: string;
  /** The address that the host is managed at, if it has one. */
  readonly address: () => string | undefined;
}

export const CERTIFICATE_MANAGER = moRef('HostCertificateManager', 'ha-certificate-manager');

export function addCertificateManager(options: CertificateManagerOptions): void {
  const { service, certificates } = options;
  const { graph, clock } = service;
  const info = () => certificateInfo(certificates.identity.certificate, clock.now());
  const manager = graph.add(CERTIFICATE_MANAGER, {}, certificateManagerHandlers(options, info), {
    entity: refs.host,
    computed: { certificateInfo: info },
  });
  certificates.onChange(() => manager.touch('certificateInfo'));
}

function certificateManagerHandlers(
  { service, certificates, name, address }: CertificateManagerOptions,
  info: () => HostCertificateManagerCertificateInfo,
): Handlers<'HostCertificateManager', Call> {
  return {
    RetrieveCertificateInfoList: () => [info()],
    GenerateCertificateSigningRequest({ useIpAddressAsCommonName, spec }) {
      requireMachine(spec?.kind);
      const commonName = useIpAddressAsCommonName ? address() : name;
      if (commonName === undefined) throw noAddress();
      return certificates.signingRequest({ commonName });
    },
    GenerateCertificateSigningRequestByDn({ distinguishedName, spec }) {
      requireMachine(spec?.kind);
      return certificates.signingRequest({ distinguishedName });
    },
    async InstallServerCertificate({ cert }, call) {
      await certificates.install(cert);
      const { thumbprint } = certificates.identity;
      service.log.info({ thumbprint, userName: call.session.userName }, 'the host has another certificate');
    },
    async ReplaceCACertificatesAndCRLs({ caCert, caCrl = [] }, call) {
      await certificates.replaceAuthorities(caCert, caCrl);
      service.sessions.forgiveCertificates();
      const names = certificates.authorities.certificates.map(({ subject }) => subject);
      service.log.info({ authorities: names, userName: call.session.userName }, 'the host trusts other authorities');
    },
    // Whatever uses certificates here hears of a change by itself.
    NotifyAffectedServices: () => undefined,
    ListCACertificates: () => [...certificates.texts.certificates],
    ListCACertificateRevocationLists: () => [...certificates.texts.revocationLists],
  };
}

/** There is one certificate, the host's. Fault: NotSupported for other kinds. */
function requireMachine(kind = 'Machine'): void {
  if (kind !== 'Machine') throw new MethodFault('NotSupported');
}

function noAddress(): MethodFault {
  const text = 'The host has no address of its own.';
  return new MethodFault('PlatformConfigFault', { text }, text) as MethodFault;
}
