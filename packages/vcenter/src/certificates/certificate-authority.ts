// vCenter's own certificate authority: signs what vCenter shows to clients and what it shows to hosts, and later what hosts
// show. Made once. It is in the store, so that whoever takes over, or is restored, is the vCenter that the hosts trust; what it
// signs for this machine is in a folder.
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import type { Store } from '@vivarium/store';

const DAY_MS = 24 * 3600 * 1000;
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 730;
/** A certificate that ends sooner is made anew when vCenter starts. */
const RENEW_DAYS = 30;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface KeyPair {
  /** PEM; a leaf without its issuer. */
  readonly certificate: string;
  /** PEM, PKCS#8. Never logged. */
  readonly privateKey: string;
}

export interface Certificates {
  /** PEM of the authority's own certificate: what clients and hosts trust. */
  readonly authority: string;
  /** What vCenter shows to its clients. */
  readonly server: KeyPair;
  /** What vCenter shows to hosts. */
  readonly client: KeyPair;
}

/** The document with the authority's KeyPair. */
export const AUTHORITY = 'certificates/authority';

/**
 * The authority that is in the store. A new one is made when there is none, or it is about to end; one that an earlier version
 * kept in `folder` moves into the store.
 */
export async function ensureAuthority(store: Store, folder: string, clock: Clock): Promise<KeyPair> {
  const kept = store.get<KeyPair>(AUTHORITY)?.value;
  const known = kept && !isEnding(kept.certificate, clock) ? kept : undefined;
  const root = known ?? (await readPair(folder, 'root', clock)) ?? (await makeRoot(clock));
  if (root !== known) await store.batch([{ put: AUTHORITY, value: root }]);
  await rm(join(folder, 'root.key'), { force: true });
  return root;
}

/** What `authority` has signed for this machine: what `folder` has, and anew what is missing, about to end, or of another authority. */
export async function ensureCertificates(folder: string, authority: KeyPair, clock: Clock): Promise<Certificates> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeDurable(join(folder, 'root.crt'), authority.certificate, 0o644);
  const leaf = async (name: 'server' | 'client') => {
    const known = await readPair(folder, name, clock);
    if (known && isSignedBy(known, authority)) return known;
    return keep(folder, name, await makeLeaf(authority, name, clock));
  };
  return { authority: authority.certificate, server: await leaf('server'), client: await leaf('client') };
}

/** What this machine showed to its clients before, and whose it is, if it can still be shown. */
export async function findServerCertificate(
  folder: string,
  clock: Clock,
): Promise<(KeyPair & { readonly authority: string }) | undefined> {
  const server = await readPair(folder, 'server', clock);
  if (!server) return undefined;
  const authority = await readFile(join(folder, 'root.crt'), 'utf8').catch(() => undefined);
  return authority === undefined ? undefined : { ...server, authority };
}

function isEnding(certificate: string, clock: Clock): boolean {
  return Date.parse(new X509Certificate(certificate).validTo) < clock.now() + RENEW_DAYS * DAY_MS;
}

async function readPair(folder: string, name: string, clock: Clock): Promise<KeyPair | undefined> {
  try {
    const certificate = await readFile(join(folder, `${name}.crt`), 'utf8');
    const privateKey = await readFile(join(folder, `${name}.key`), 'utf8');
    return isEnding(certificate, clock) ? undefined : { certificate, privateKey };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`the certificate ${name} in ${folder} is not readable`, { cause: error });
  }
}

async function keep(folder: string, name: string, pair: KeyPair): Promise<KeyPair> {
  await writeDurable(join(folder, `${name}.key`), pair.privateKey, 0o600);
  await writeDurable(join(folder, `${name}.crt`), pair.certificate, 0o644);
  return pair;
}

function isSignedBy({ certificate }: KeyPair, root: KeyPair): boolean {
  return new X509Certificate(certificate).verify(new X509Certificate(root.certificate).publicKey);
}

// Loaded only when a certificate has to be made: the libraries are large and rarely needed.
async function tools() {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const { webcrypto } = await import('node:crypto');
  x509.cryptoProvider.set(webcrypto as typeof globalThis.crypto);
  return { x509, subtle: webcrypto.subtle };
}

async function makeRoot(clock: Clock): Promise<KeyPair> {
  const { x509, subtle } = await tools();
  const keys = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Vivarium CA ${randomBytes(4).toString('hex')}, O=Vivarium`,
    notBefore: new Date(clock.now() - DAY_MS),
    notAfter: new Date(clock.now() + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, privateKey: await pkcs8(keys.privateKey, subtle) };
}

async function makeLeaf(root: KeyPair, kind: 'server' | 'client', clock: Clock): Promise<KeyPair> {
  const { x509, subtle } = await tools();
  const keys = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(root.certificate);
  const der = Buffer.from(root.privateKey.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  const signingKey = await subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  const usage = kind === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: kind === 'server' ? `CN=${hostname()}, O=Vivarium` : 'CN=vpxd-extension, O=Vivarium',
    issuer: issuer.subject,
    notBefore: new Date(clock.now() - DAY_MS),
    notAfter: new Date(clock.now() + LEAF_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(kind === 'server' ? [new x509.SubjectAlternativeNameExtension(ownNames())] : []),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, privateKey: await pkcs8(keys.privateKey, subtle) };
}

type Subtle = Awaited<ReturnType<typeof tools>>['subtle'];

async function pkcs8(key: Parameters<Subtle['exportKey']>[1], subtle: Subtle): Promise<string> {
  const base64 = Buffer.from(await subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

/** Positive and unique, whatever the first byte. */
function serialNumber(): string {
  return `00${randomBytes(15).toString('hex')}`;
}

function ownNames(): { readonly type: 'dns' | 'ip'; readonly value: string }[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  const plain = addresses.filter((address) => !address.includes('%') && !address.startsWith('fe80'));
  return [
    ...[...new Set([hostname(), 'localhost'])].map((value) => ({ type: 'dns' as const, value })),
    ...[...new Set(['127.0.0.1', '::1', ...plain])].map((value) => ({ type: 'ip' as const, value })),
  ];
}
