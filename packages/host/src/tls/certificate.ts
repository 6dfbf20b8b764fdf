// The host's own TLS identity: a self-signed certificate, made once and kept in the state directory.
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { type Clock, type Random, token } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';

const DAY_MS = 24 * 3600 * 1000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface TlsIdentity {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS#8. Never logged. */
  readonly privateKey: string;
  /** SHA-1 as vSphere writes thumbprints: `AB:CD:…`. */
  readonly thumbprint: string;
}

/** Reads the identity in `directory`, or makes one valid for ten years when there is none or it has run out. */
export async function ensureTlsIdentity(directory: string, clock: Clock, random: Random): Promise<TlsIdentity> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const paths = { certificate: join(directory, 'rui.crt'), privateKey: join(directory, 'rui.key') };
  const existing = await readIdentity(paths, clock);
  if (existing) return existing;
  const made = await selfSigned(clock, random);
  await writeDurable(paths.privateKey, made.privateKey, 0o600);
  await writeDurable(paths.certificate, made.certificate, 0o644);
  return withThumbprint(made);
}

async function readIdentity(
  paths: { certificate: string; privateKey: string },
  clock: Clock,
): Promise<TlsIdentity | undefined> {
  try {
    const certificate = await readFile(paths.certificate, 'utf8');
    const privateKey = await readFile(paths.privateKey, 'utf8');
    if (Date.parse(new X509Certificate(certificate).validTo) < clock.now() + DAY_MS) return undefined;
    return withThumbprint({ certificate, privateKey });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`cannot read the TLS identity in ${paths.certificate}`, { cause: error });
  }
}

function withThumbprint(pair: { certificate: string; privateKey: string }): TlsIdentity {
  return { ...pair, thumbprint: new X509Certificate(pair.certificate).fingerprint };
}

async function selfSigned(clock: Clock, random: Random): Promise<{ certificate: string; privateKey: string }> {
  x509.cryptoProvider.set(webcrypto as typeof globalThis.crypto);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `00${token(random, 15)}`,
    name: `CN=${hostname()}, O=Vivarium`,
    notBefore: new Date(clock.now() - DAY_MS),
    notAfter: new Date(clock.now() + 3650 * DAY_MS),
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
