// The host's own TLS identity: certificate and key in files of the state directory, named as on ESXi.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Random, token } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import { runCertificateTool } from './certificate-tool.ts';
import type { SelfSigned, SelfSignedWish } from './self-signed.ts';

const DAY_MS = 24 * 3600 * 1000;

export interface TlsIdentity extends SelfSigned {
  /** SHA-1 as vSphere writes thumbprints: `AB:CD:…`. */
  readonly thumbprint: string;
}

/**
 * Reads the identity in `directory`, or makes one valid for ten years when there is none or its self-signed one has run out.
 * One that an authority has signed is kept whatever its date: who trusts it would not trust ours.
 */
export async function ensureTlsIdentity(directory: string, clock: Clock, random: Random): Promise<TlsIdentity> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const existing = await readIdentity(directory, clock);
  if (existing) return existing;
  const made = await makeSelfSigned(clock, random);
  await writeDurable(paths(directory).privateKey, made.privateKey, 0o600);
  return writeCertificate(directory, made);
}

/** Puts another certificate for the same key in place of the present one. Resolves when it is on disk. */
export async function writeCertificate(directory: string, pair: SelfSigned): Promise<TlsIdentity> {
  await writeDurable(paths(directory).certificate, pair.certificate, 0o644);
  return withThumbprint(pair);
}

function paths(directory: string): { readonly certificate: string; readonly privateKey: string } {
  return { certificate: join(directory, 'rui.crt'), privateKey: join(directory, 'rui.key') };
}

async function readIdentity(directory: string, clock: Clock): Promise<TlsIdentity | undefined> {
  const { certificate: file, privateKey: keyFile } = paths(directory);
  try {
    const certificate = await readFile(file, 'utf8');
    const privateKey = await readFile(keyFile, 'utf8');
    const read = new X509Certificate(certificate);
    const isOwn = read.checkIssued(read);
    if (isOwn && Date.parse(read.validTo) < clock.now() + DAY_MS) return undefined;
    // Killed between the two files of a first start: neither has been shown to anybody.
    if (!read.checkPrivateKey(createPrivateKey(privateKey))) return undefined;
    return withThumbprint({ certificate, privateKey });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`cannot read the TLS identity in ${file}`, { cause: error });
  }
}

function withThumbprint(pair: SelfSigned): TlsIdentity {
  return { ...pair, thumbprint: new X509Certificate(pair.certificate).fingerprint };
}

async function makeSelfSigned(clock: Clock, random: Random): Promise<SelfSigned> {
  const wish: SelfSignedWish = {
    serialNumber: `00${token(random, 15)}`,
    notBefore: new Date(clock.now() - DAY_MS).toISOString(),
    notAfter: new Date(clock.now() + 3650 * DAY_MS).toISOString(),
  };
  return (await runCertificateTool('self-signed', wish)) as SelfSigned;
}
