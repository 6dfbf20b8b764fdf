// Reaches hostds over the network: once by an administrator's password, from then on by vCenter's own certificate, whose
// authority it has told the host to trust.
import type { Clock } from '@vivarium/base';
import { type Trust, UntrustedPeer, VimClient } from '@vivarium/client';
import { isFault, MethodFault, moRef } from '@vivarium/vim';
import type { KeyPair } from '../certificates/certificate-authority.ts';
import { type HostDialer, type HostLink, type HostTarget, HostUnreachable, type ManagementClaim } from './host-link.ts';
import { VimHostLink } from './vim-host-link.ts';

export interface VimHostDialerOptions {
  readonly clock: Clock;
  /** PEM of vCenter's authority. */
  readonly authority: string;
  /** What vCenter shows to hosts. */
  readonly identity: KeyPair;
  /** Resolves when hosts may be told to do something: not by one that may have been followed by another. Default: at once. */
  readonly mayAct?: () => Promise<void>;
}

export class VimHostDialer implements HostDialer {
  readonly #options: VimHostDialerOptions;
  readonly #mayAct: () => Promise<void>;

  constructor(options: VimHostDialerOptions) {
    this.#options = options;
    this.#mayAct = options.mayAct ?? (() => Promise.resolve());
  }

  async introduce(
    target: HostTarget,
    account: { readonly userName: string; readonly password: string },
    { instanceUuid, force }: ManagementClaim,
  ): Promise<HostLink> {
    await this.#mayAct();
    const client = this.#client(target);
    try {
      await answered(client.login(account.userName, account.password));
      // The host knows best by which address we come.
      const claim = { serverIp: '', instanceUuid, force };
      await answered(client.call(moRef('HostSystem', 'ha-host'), 'ClaimManagement', claim));
      await answered(this.#changeAuthorities(client, (known) => [...new Set([...known, this.#options.authority])]));
      await client.logout().catch(() => undefined);
    } finally {
      client.close();
    }
    return this.dial(target);
  }

  async dial(target: HostTarget): Promise<HostLink> {
    const client = this.#client(target);
    try {
      const { about } = await answered(client.content());
      if (about.apiType !== 'HostAgent') throw new MethodFault('NotSupportedHost', {}, `${target.address} is no host`);
      await answered(client.loginByCertificate());
      return new VimHostLink(client, about, this.#options.clock, this.#mayAct);
    } catch (error) {
      client.close();
      throw error;
    }
  }

  async part(target: HostTarget): Promise<void> {
    await this.#mayAct();
    const client = this.#client(target);
    try {
      await answered(client.loginByCertificate());
      const { authority } = this.#options;
      await answered(this.#changeAuthorities(client, (known) => known.filter((one) => one !== authority)));
      await client.logout().catch(() => undefined);
    } finally {
      client.close();
    }
  }

  #client({ address, port, thumbprint }: HostTarget): VimClient {
    // Without a thumbprint nobody is trusted, and what the host shows is told to whoever can judge it.
    const trust: Trust = { thumbprint: thumbprint ?? '00' };
    const host = isOwnName(address) ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;
    return new VimClient({ url: `https://${host}:${port}`, trust, identity: this.#options.identity });
  }

  /** Whose clients the host lets in; the rest of its list stays as it is. */
  async #changeAuthorities(client: VimClient, change: (known: readonly string[]) => string[]): Promise<void> {
    const managers = await client.get(moRef('HostSystem', 'ha-host'), 'configManager');
    const certificates = managers?.certificateManager;
    if (!certificates) throw new MethodFault('NotSupportedHost', {}, 'the host has no HostCertificateManager');
    const known = (await client.call(certificates, 'ListCACertificates', {} as never)) ?? [];
    const caCert = change(known);
    if (caCert.length === known.length) return;
    const caCrl = (await client.call(certificates, 'ListCACertificateRevocationLists', {} as never)) ?? [];
    await client.call(certificates, 'ReplaceCACertificatesAndCRLs', { caCert, caCrl });
  }
}

/** Names below .localhost are this machine (RFC 6761), whatever its resolver knows. */
function isOwnName(address: string): boolean {
  return /(^|\.)localhost$/i.test(address);
}

/** Faults are answers; everything else means that there was none. */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const peer = error instanceof UntrustedPeer ? error : error instanceof Error ? error.cause : undefined;
    if (peer instanceof UntrustedPeer) throw peer.toFault();
    if (isFault(error, 'MethodFault')) throw error;
    throw new HostUnreachable(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
