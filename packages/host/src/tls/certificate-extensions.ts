// What a certificate says about its use that Node does not tell: key usage, path length, and which extensions are critical.
// Pure. Source: RFC 5280, sections 4.1 and 4.2; ITU-T X.690 for the encoding.
import type { X509Certificate } from 'node:crypto';

export interface CertificateExtensions {
  /** Undefined: the key may be used for anything. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** How many authorities may come below this one; undefined: any number. */
  readonly pathLength: number | undefined;
  /** Object identifiers of the extensions that whoever does not understand them must refuse. */
  readonly critical: readonly string[];
}

const KEY_USAGES = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];

const SEQUENCE = 0x30;
const BOOLEAN = 0x01;
const INTEGER = 0x02;
/** Of the optional parts of a certificate: [3] EXPLICIT. */
const EXTENSIONS = 0xa3;
const KEY_USAGE = '2.5.29.15';
const BASIC_CONSTRAINTS = '2.5.29.19';

/** Throws when the bytes are no certificate. */
export function certificateExtensions(certificate: Pick<X509Certificate, 'raw'>): CertificateExtensions {
  const [whole] = elements(certificate.raw);
  const [toBeSigned] = elements(bodyOf(whole));
  const holder = elements(bodyOf(toBeSigned)).find(({ tag }) => tag === EXTENSIONS);
  const list = holder ? elements(bodyOf(elements(holder.body)[0])).map(extension) : [];
  const value = (id: string) => list.find((one) => one.id === id)?.value;
  const usage = value(KEY_USAGE);
  const constraints = value(BASIC_CONSTRAINTS);
  return {
    keyUsage: usage && keyUsage(bodyOf(elements(usage)[0])),
    pathLength: constraints && pathLength(bodyOf(elements(constraints)[0])),
    critical: list.filter(({ isCritical }) => isCritical).map(({ id }) => id),
  };
}

interface Element {
  readonly tag: number;
  readonly body: Buffer;
}

function extension({ tag, body }: Element): {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
} {
  if (tag !== SEQUENCE) throw new Error('an extension is no sequence');
  const [id, ...rest] = elements(body);
  const isCritical = rest[0]?.tag === BOOLEAN && rest[0].body[0] !== 0;
  return { id: objectIdentifier(bodyOf(id)), isCritical, value: bodyOf(rest.at(-1)) };
}

/** A BIT STRING: the number of unused bits, then the bits from the first one on. */
function keyUsage(bits: Buffer): ReadonlySet<KeyUsage> {
  const isSet = (index: number) => ((bits[1 + (index >> 3)] ?? 0) & (0x80 >> (index & 7))) !== 0;
  return new Set(KEY_USAGES.filter((_, index) => isSet(index)));
}

function pathLength(constraints: Buffer): number | undefined {
  const length = elements(constraints).find(({ tag }) => tag === INTEGER);
  return length && Number.parseInt(length.body.toString('hex') || '0', 16);
}

function objectIdentifier(bytes: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

function bodyOf(element: Element | undefined): Buffer {
  if (!element) throw new Error('a part of the certificate is missing');
  return element.body;
}

/** The DER elements that lie one after the other. */
function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const tag = bytes[offset] ?? 0;
    const first = bytes[offset + 1] ?? 0;
    const lengthBytes = first & 0x80 ? first & 0x7f : 0;
    if (lengthBytes > 4) throw new Error('an element is too long');
    const start = offset + 2 + lengthBytes;
    const length = lengthBytes > 0 ? bytes.readUIntBE(offset + 2, lengthBytes) : first;
    if (start + length > bytes.length) throw new Error('an element is cut off');
    found.push({ tag, body: bytes.subarray(start, start + length) });
    offset = start + length;
  }
  return found;
}
