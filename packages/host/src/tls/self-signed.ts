// Makes a self-signed certificate and prints it as JSON, as a process of its own: the libraries that it takes are big, needed
// once in ten years, and would stay in hostd's memory for as long as it runs.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import * as x509 from '@peculiar/x509';

export interface SelfSigned {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS#8. Never logged. */
  readonly privateKey: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const [serialNumber, notBefore, notAfter] = process.argv.slice(2);
if (!serialNumber || !notBefore || !notAfter)
  throw new Error('usage: self-signed.ts <serial> <not before> <not after>');
process.stdout.write(JSON.stringify(await selfSigned(serialNumber, new Date(notBefore), new Date(notAfter))));

async function selfSigned(serialNumber: string, notBefore: Date, notAfter: Date): Promise<SelfSigned> {
  x509.cryptoProvider.set(webcrypto as typeof globalThis.crypto);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: `CN=${hostname()}, O=Vivarium`,
    notBefore,
    notAfter,
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

function subjectNames(): x509.JsonGeneralNames {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address));
  const plain = addresses.filter((address) => !address.includes('%') && !address.startsWith('fe80'));
  return [
    ...[...new Set([hostname(), 'localhost'])].map((value) => ({ type: 'dns' as const, value })),
    ...[...new Set(['127.0.0.1', '::1', ...plain])].map((value) => ({ type: 'ip' as const, value })),
  ];
}
