// Makes a certificate signing request (PKCS#10) for a key: a certificate tool (see certificate-tool.ts).
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import { subjectNames } from './subject-names.ts';
import { readToolInput } from './tool-input.ts';
import { x509 } from './x509.ts';

export interface SigningRequestWish {
  /** PEM. */
  readonly privateKey: string;
  /** As text (`CN=esx1,O=Example`), or the common name alone, which then needs no quoting. */
  readonly subject: { readonly distinguishedName: string } | { readonly commonName: string };
}

process.stdout.write(JSON.stringify(await signingRequest((await readToolInput()) as SigningRequestWish)));

/** PEM. */
async function signingRequest({ privateKey, subject }: SigningRequestWish): Promise<string> {
  const key = createPrivateKey(privateKey);
  const algorithm = algorithmOf(key);
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', der(key, 'pkcs8'), algorithm, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', der(createPublicKey(key), 'spki'), algorithm, true, ['verify']),
  };
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf(subject),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(subjectNames()),
    ],
  });
  return `${request.toString('pem')}\n`;
}

function nameOf(subject: SigningRequestWish['subject']): x509.JsonName {
  if ('commonName' in subject) return [{ CN: [subject.commonName] }, { O: ['Vivarium'] }];
  const name = new x509.Name(subject.distinguishedName).toJSON();
  if (name.length === 0) throw new Error(`'${subject.distinguishedName}' is no distinguished name`);
  return name;
}

function algorithmOf(key: KeyObject) {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;
  return { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
}

function der(key: KeyObject, type: 'pkcs8' | 'spki'): Buffer {
  return key.export({ type: type as 'spki', format: 'der' });
}
