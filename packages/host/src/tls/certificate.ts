// The host's own TLS identity: a self-signed certificate, made once and kept in the state directory.
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Clock, type Random, token } from '@vivarium/base';
import { writeDurable } from '@vivarium/base/node';
import type { SelfSigned } from './self-signed.ts';

const SELF_SIGNED = fileURLToPath(new URL('./self-signed.ts', import.meta.url));
const DAY_MS = 24 * 3600 * 1000;

export interface TlsIdentity extends SelfSigned {
  /** SHA-1 as vSphere writes thumbprints: `AB:CD:…`. */
  readonly thumbprint: string;
}

/** Reads the identity in `directory`, or makes one valid for ten years when there is none or it has run out. */
export async function ensureTlsIdentity(directory: string, clock: Clock, random: Random): Promise<TlsIdentity> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const paths = { certificate: join(directory, 'rui.crt'), privateKey: join(directory, 'rui.key') };
  const existing = await readIdentity(paths, clock);
  if (existing) return existing;
  const made = await makeSelfSigned(clock, random);
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

function withThumbprint(pair: SelfSigned): TlsIdentity {
  return { ...pair, thumbprint: new X509Certificate(pair.certificate).fingerprint };
}

async function makeSelfSigned(clock: Clock, random: Random): Promise<SelfSigned> {
  const notBefore = new Date(clock.now() - DAY_MS);
  const notAfter = new Date(clock.now() + 3650 * DAY_MS);
  const serial = `00${token(random, 15)}`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', SELF_SIGNED, serial, notBefore.toISOString(), notAfter.toISOString()],
    { timeout: 60_000 },
  );
  return JSON.parse(stdout) as SelfSigned;
}
