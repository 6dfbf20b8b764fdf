// For tests: certificate authorities, certificates of every kind, and revocation lists.
import { randomBytes, webcrypto } from 'node:crypto';
import { x509 } from '../tls/x509.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 3600 * 1000;

export interface Issued {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface Wish {
  readonly name?: string;
  readonly nowMs?: number;
  /** Days from now at which it begins and ends to be valid; default: -30 and 365. */
  readonly fromDays?: number;
  readonly toDays?: number;
  readonly usage?: x509.KeyUsageFlags;
  readonly purposes?: readonly string[];
  readonly more?: readonly x509.Extension[];
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
}

export interface TestAuthority extends Issued {
  issue(wish?: Wish): Promise<Issued>;
  /** An authority below this one. */
  below(wish?: Wish): Promise<TestAuthority>;
  /** Signs a PKCS#10 request, with the names that it asks for. */
  sign(request: string): Promise<string>;
  /** PEM of a list that names these. */
  revoke(...certificates: readonly string[]): Promise<string>;
}

interface Signer {
  readonly name: string;
  readonly keys: CryptoKeyPair;
}

type CryptoKeyPair = Awaited<ReturnType<typeof newKeys>>;

export async function testAuthority(name = 'Test authority', wish: Wish = {}): Promise<TestAuthority> {
  const keys = await newKeys();
  const own = { name: `CN=${name}`, keys };
  const certificate = await certify(own.name, own, keys.publicKey, { isAuthority: true, ...wish });
  return authority(own, certificate);
}

async function authority(own: Signer, certificate: x509.X509Certificate): Promise<TestAuthority> {
  return {
    certificate: certificate.toString('pem'),
    privateKey: await pkcs8(own.keys),
    async issue(wish = {}) {
      const keys = await newKeys();
      const issued = await certify(`CN=${wish.name ?? 'client'}`, own, keys.publicKey, wish);
      return { certificate: issued.toString('pem'), privateKey: await pkcs8(keys) };
    },
    async below(wish = {}) {
      const keys = await newKeys();
      const signer = { name: `CN=${wish.name ?? 'Authority below'}`, keys };
      return authority(signer, await certify(signer.name, own, keys.publicKey, { isAuthority: true, ...wish }));
    },
    async sign(request) {
      const asked = new x509.Pkcs10CertificateRequest(request);
      if (!(await asked.verify())) throw new Error('the request is not signed with its key');
      const issued = await certify(asked.subject, own, await asked.publicKey.export(), {
        more: asked.extensions.filter(({ type }) => type === '2.5.29.17'),
      });
      return issued.toString('pem');
    },
    async revoke(...certificates) {
      const list = await x509.X509CrlGenerator.create({
        issuer: own.name,
        thisUpdate: new Date(),
        nextUpdate: new Date(Date.now() + DAY_MS),
        entries: certificates.map((pem) => ({
          serialNumber: new x509.X509Certificate(pem).serialNumber,
          revocationDate: new Date(),
        })),
        signingKey: own.keys.privateKey,
        signingAlgorithm: ALGORITHM,
      });
      return list.toString('pem');
    },
  };
}

function newKeys() {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function certify(
  subject: string,
  issuer: Signer,
  publicKey: webcrypto.CryptoKey,
  wish: Wish,
): Promise<x509.X509Certificate> {
  const now = wish.nowMs ?? Date.now();
  const { isAuthority = false, usage, purposes } = wish;
  const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags;
  return x509.X509CertificateGenerator.create({
    serialNumber: `00${randomBytes(12).toString('hex')}`,
    subject,
    issuer: issuer.name,
    notBefore: new Date(now + (wish.fromDays ?? -30) * DAY_MS),
    notAfter: new Date(now + (wish.toDays ?? 365) * DAY_MS),
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, wish.pathLength, true),
      new x509.KeyUsagesExtension(usage ?? (isAuthority ? keyCertSign | cRLSign : digitalSignature), true),
      ...(purposes ? [new x509.ExtendedKeyUsageExtension([...purposes])] : []),
      ...(wish.more ?? []),
    ],
  });
}

async function pkcs8({ privateKey }: CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
}
