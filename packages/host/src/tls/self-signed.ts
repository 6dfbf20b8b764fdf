// Makes a self-signed certificate: a certificate tool (see certificate-tool.ts).
import { webcrypto } from 'node:crypto';
import { hostname } from 'node:os';
import { subjectNames } from './subject-names.ts';
import { readToolInput } from './tool-input.ts';
import { x509 } from './x509.ts';

export interface SelfSignedWish {
  /** Hex. */
  readonly serialNumber: string;
  /** dateTime. */
  readonly notBefore: string;
  readonly notAfter: string;
}

export interface SelfSigned {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS#8. Never logged. */
  readonly privateKey: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

process.stdout.write(JSON.stringify(await selfSigned((await readToolInput()) as SelfSignedWish)));

async function selfSigned({ serialNumber, notBefore, notAfter }: SelfSignedWish): Promise<SelfSigned> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: `CN=${hostname()}, O=Vivarium`,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(subjectNames()),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const privateKey = `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
  return { certificate: `${certificate.toString('pem')}\n`, privateKey };
}
