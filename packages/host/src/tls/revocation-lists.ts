// Reads certificate revocation lists and checks that authorities have signed them: a certificate tool (see certificate-tool.ts).
import { X509Certificate } from 'node:crypto';
import { fingerprintOfKey } from './key-fingerprint.ts';
import { plainSerial } from './serial-number.ts';
import { readToolInput } from './tool-input.ts';
import { x509 } from './x509.ts';

export interface RevocationListsWish {
  /** PEM. */
  readonly lists: readonly string[];
  /** PEM of the authorities; each list has to be of one of them. */
  readonly authorities: readonly string[];
}

export interface RevocationList {
  /** PEM, as it was given. */
  readonly text: string;
  /** Whose list it is: fingerprint of its key (key-fingerprint.ts). */
  readonly authorityKey: string;
  /** What is revoked: serial numbers in the form of serial-number.ts. */
  readonly serials: readonly string[];
}

const { lists, authorities } = (await readToolInput()) as RevocationListsWish;
process.stdout.write(JSON.stringify(await Promise.all(lists.map((list) => readList(list, authorities)))));

async function readList(text: string, candidates: readonly string[]): Promise<RevocationList> {
  const list = new x509.X509Crl(text);
  // Of deltas, and of lists for some certificates only.
  const strange = list.extensions.find(({ critical }) => critical);
  if (strange) throw new Error(`the critical extension ${strange.type} of a revocation list is not understood`);
  for (const pem of candidates) {
    const authority = new x509.X509Certificate(pem);
    if (authority.subject !== list.issuer || !(await list.verify({ publicKey: authority.publicKey }))) continue;
    return {
      text,
      authorityKey: fingerprintOfKey(new X509Certificate(pem)),
      serials: list.entries.map(({ serialNumber }) => plainSerial(serialNumber)),
    };
  }
  throw new Error(`no authority of the list has signed the revocation list of ${list.issuer}`);
}
