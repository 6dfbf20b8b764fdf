// How extensions of a vCenter log in: by the certificate that was set for them.
import type { CertificateLogin } from '../session/certificate-login.ts';
import type { Extensions } from './extensions.ts';

/** `groups`: what an extension that has logged in is a member of. `others`: asked about whom the certificate is not of an extension. */
export function extensionLogin(
  extensions: Extensions,
  groups: readonly string[],
  others?: CertificateLogin,
): CertificateLogin {
  return (extensionKey, chain) => {
    const [own] = chain;
    const extension = own && extensions.verify(extensionKey, own);
    if (!extension) return others?.(extensionKey, chain);
    const { key, description } = extension;
    return { userName: key, fullName: description.label, groups };
  };
}
