// Who the host is and whom it trusts: its own certificate and key, and the authorities whose clients it lets in. Changes are
// on disk before they are in force.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Clock, Mutex, type Random } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import { MethodFault } from '@vivarium/vim';
import { ensureTlsIdentity, type TlsIdentity, writeCertificate } from './certificate.ts';
import { runCertificateTool } from './certificate-tool.ts';
import type { RevocationList, RevocationListsWish } from './revocation-lists.ts';
import type { SigningRequestWish } from './signing-request.ts';
import {
  type AuthorityTexts,
  NO_AUTHORITIES,
  parseAuthorities,
  type TrustedAuthorities,
  trustedAuthorities,
} from './trusted-authorities.ts';

const AUTHORITIES = 'tls/authorities';
/** Characters of all texts of one call together. */
const MOST_TEXT = 4 << 20;

export interface HostCertificatesOptions {
  /** Where certificate and key are kept. */
  readonly directory: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

export class HostCertificates {
  readonly #options: HostCertificatesOptions;
  readonly #mutex = new Mutex();
  readonly #listeners = new Set<() => void>();
  #identity: TlsIdentity;
  #texts: AuthorityTexts;
  #authorities: TrustedAuthorities;

  private constructor(options: HostCertificatesOptions, identity: TlsIdentity) {
    this.#options = options;
    this.#identity = identity;
    this.#texts = options.store.get<AuthorityTexts>(AUTHORITIES)?.value ?? NO_AUTHORITIES;
    this.#authorities = trustedAuthorities(this.#texts);
  }

  static async open(options: HostCertificatesOptions): Promise<HostCertificates> {
    const { directory, clock, random } = options;
    return new HostCertificates(options, await ensureTlsIdentity(directory, clock, random));
  }

  get identity(): TlsIdentity {
    return this.#identity;
  }

  get authorities(): TrustedAuthorities {
    return this.#authorities;
  }

  /** PEM of the authorities and of their revocation lists, as they were given. */
  get texts(): { readonly certificates: readonly string[]; readonly revocationLists: readonly string[] } {
    const { certificates, revocationLists } = this.#texts;
    return { certificates, revocationLists: revocationLists.map(({ text }) => text) };
  }

  /** Heard when another certificate, or another list of authorities, is in force. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** PEM of a signing request for the host's key. Fault: PlatformConfigFault. */
  async signingRequest(subject: SigningRequestWish['subject']): Promise<string> {
    const wish: SigningRequestWish = { privateKey: this.#identity.privateKey, subject };
    return (await byTool('signing-request', wish, 'The signing request could not be made')) as string;
  }

  /** The certificate that an authority made of a signing request, followed by its chain, if any. Fault: PlatformConfigFault. */
  install(text: string): Promise<void> {
    return this.#mutex.run(async () => {
      const { directory, clock } = this.#options;
      const { privateKey } = this.#identity;
      const certificate = parseOwn(text);
      if (!certificate.checkPrivateKey(createPrivateKey(privateKey)))
        throw refused('The certificate is not for the key of this host.');
      if (certificate.validToDate.getTime() <= clock.now()) throw refused('The certificate has expired.');
      this.#identity = await writeCertificate(directory, { certificate: `${text.trim()}\n`, privateKey });
      this.#changed();
    });
  }

  /** These and no others from now on. Fault: PlatformConfigFault, and then nothing has changed. */
  replaceAuthorities(certificates: readonly string[], revocationLists: readonly string[]): Promise<void> {
    return this.#mutex.run(async () => {
      const length = [...certificates, ...revocationLists].reduce((sum, text) => sum + text.length, 0);
      if (length > MOST_TEXT) throw refused(`The certificates and lists are longer than ${MOST_TEXT} characters.`);
      const authorities = parseAuthorities(certificates).map((certificate) => certificate.toString());
      const texts = { certificates: authorities, revocationLists: await readLists(revocationLists, authorities) };
      await this.#options.store.batch([{ put: AUTHORITIES, value: texts }]);
      this.#texts = texts;
      this.#authorities = trustedAuthorities(texts);
      this.#changed();
    });
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function parseOwn(text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw refused('This is no certificate in PEM form.', error);
  }
}

async function readLists(lists: readonly string[], authorities: readonly string[]): Promise<RevocationList[]> {
  if (lists.length === 0) return [];
  const wish: RevocationListsWish = { lists, authorities };
  return (await byTool('revocation-lists', wish, 'A revocation list cannot be used')) as RevocationList[];
}

async function byTool(tool: 'signing-request' | 'revocation-lists', wish: object, failure: string): Promise<unknown> {
  try {
    return await runCertificateTool(tool, wish);
  } catch (error) {
    throw refused(`${failure}.`, error);
  }
}

function refused(text: string, cause?: unknown): MethodFault {
  return new MethodFault('PlatformConfigFault', { text }, text, { cause }) as MethodFault;
}
