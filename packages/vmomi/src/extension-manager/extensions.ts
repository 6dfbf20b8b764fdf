// Which programs have registered with this vCenter, and by which certificates they log in. Kept in the store.
import { X509Certificate } from 'node:crypto';
import type { Store } from '@vivarium/store';
import { type Extension, MethodFault } from '@vivarium/vim';

const EXTENSIONS = 'extension/';
/** PEM, by the extension's key. */
const CERTIFICATES = 'extension-certificate/';
/** vCenter names no limit; everything has one here. */
const MOST_EXTENSIONS = 1000;

export class Extensions {
  readonly #store: Store;
  readonly #extensions: Map<string, Extension>;

  constructor(store: Store) {
    this.#store = store;
    this.#extensions = new Map(store.range<Extension>(EXTENSIONS).map(({ value }) => [value.key, value]));
  }

  list(): Extension[] {
    return [...this.#extensions.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  find(key: string): Extension | undefined {
    return this.#extensions.get(key);
  }

  /** Faults: InvalidArgument (no key, or one that is taken), LimitExceeded. */
  async register(extension: Extension): Promise<void> {
    if (extension.key.trim() === '' || this.find(extension.key)) {
      throw new MethodFault('InvalidArgument', { invalidProperty: 'extension.key' });
    }
    if (this.#extensions.size >= MOST_EXTENSIONS) {
      throw new MethodFault('LimitExceeded', { property: 'extensionList', limit: MOST_EXTENSIONS });
    }
    await this.#store.batch([{ put: EXTENSIONS + extension.key, value: extension }]);
    this.#extensions.set(extension.key, extension);
  }

  /** The certificate stays: it is set by a method of its own. Fault: NotFound. */
  async update(extension: Extension): Promise<void> {
    const { subjectName } = this.#known(extension.key);
    const updated = { ...extension, ...(subjectName === undefined ? {} : { subjectName }) };
    await this.#store.batch([{ put: EXTENSIONS + extension.key, value: updated }]);
    this.#extensions.set(extension.key, updated);
  }

  /** Its certificate goes with it: a later extension of this key is another. Fault: NotFound. */
  async unregister(key: string): Promise<void> {
    this.#known(key);
    await this.#store.batch([{ delete: EXTENSIONS + key }, { delete: CERTIFICATES + key }]);
    this.#extensions.delete(key);
  }

  /** From now on this certificate, and no other, lets the extension in. Fault: NotFound. */
  async setCertificate(key: string, certificate: X509Certificate): Promise<void> {
    const extension = { ...this.#known(key), subjectName: oneLine(certificate) };
    await this.#store.batch([
      { put: EXTENSIONS + key, value: extension },
      { put: CERTIFICATES + key, value: certificate.toString() },
    ]);
    this.#extensions.set(key, extension);
  }

  /**
   * The extension of this key, if this is its certificate. Neither its dates nor who signed it are looked at: it was set as it
   * is by somebody who may (vSphere Web Services API, SessionManager.LoginExtensionByCertificate).
   */
  verify(key: string, shown: X509Certificate): Extension | undefined {
    const expected = this.#store.get<string>(CERTIFICATES + key)?.value;
    if (expected === undefined) return undefined;
    return new X509Certificate(expected).fingerprint256 === shown.fingerprint256 ? this.find(key) : undefined;
  }

  #known(key: string): Extension {
    const extension = this.find(key);
    if (!extension) throw new MethodFault('NotFound');
    return extension;
  }
}

/** `OU=x,O=y`: the way that directories write it, the most particular part first. */
function oneLine({ subject }: X509Certificate): string {
  // Node has undefined for a subject that is empty.
  return ((subject as string | undefined) ?? '').split('\n').toReversed().join(',');
}
