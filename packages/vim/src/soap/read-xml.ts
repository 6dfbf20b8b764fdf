// XML events with limits: what a stranger sends may be hostile. DTDs are refused (so there are no entities but XML's five),
// depth, elements, attributes and size are bounded, and the work is linear in the size.

import { MethodFault } from '../method-fault.ts';
import { scanXml, type XmlAttribute, XmlError } from './xml-scanner.ts';

export interface XmlLimits {
  /** Bytes of a Uint8Array, UTF-16 units of a string. */
  readonly maxSize: number;
  readonly maxDepth: number;
  readonly maxElements: number;
  readonly maxAttributes: number;
}

export const REQUEST_LIMITS: XmlLimits = { maxSize: 16 << 20, maxDepth: 256, maxElements: 250_000, maxAttributes: 64 };

export interface XmlTag {
  readonly local: string;
  readonly uri: string;
  /** Local name of the xsi:type, without its prefix. */
  readonly xsiType: string | undefined;
  readonly isNil: boolean;
  /** An attribute without namespace. */
  attribute(name: string): string | undefined;
}

export interface XmlHandler {
  open(tag: XmlTag): void;
  text(text: string): void;
  close(): void;
}

const XSI = 'http://www.w3.org/2001/XMLSchema-instance';

export function invalidXml(message: string): MethodFault<'InvalidRequest'> {
  return new MethodFault('InvalidRequest', {}, message);
}

/** Feeds a document to `handler`. Throws InvalidRequest for anything that is not well-formed, or is over a limit. */
export function readXml(body: Uint8Array | string, limits: XmlLimits, handler: XmlHandler): void {
  if (body.length > limits.maxSize) throw invalidXml(`the message is larger than ${limits.maxSize} bytes`);
  const text = typeof body === 'string' ? body : decodeUtf8(body);
  let depth = 0;
  let elements = 0;
  const events = {
    declaration(encoding: string | undefined) {
      if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding))
        throw invalidXml('the message must be UTF-8');
    },
    attribute(count: number) {
      if (count > limits.maxAttributes) throw invalidXml('an element has too many attributes');
    },
    open(local: string, uri: string, attributes: readonly XmlAttribute[]) {
      depth += 1;
      elements += 1;
      if (depth > limits.maxDepth) throw invalidXml(`the message is nested more than ${limits.maxDepth} deep`);
      if (elements > limits.maxElements) throw invalidXml(`the message has more than ${limits.maxElements} elements`);
      handler.open(readTag(local, uri, attributes));
    },
    text: (piece: string) => handler.text(piece),
    close() {
      depth -= 1;
      handler.close();
    },
  };
  try {
    scanXml(text, events);
  } catch (error) {
    throw error instanceof XmlError
      ? invalidXml(`the message is not well-formed XML: ${error.message.slice(0, 200)}`)
      : error;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function decodeUtf8(body: Uint8Array): string {
  try {
    return UTF8.decode(body);
  } catch {
    throw invalidXml('the message is not UTF-8');
  }
}

function readTag(local: string, uri: string, attributes: readonly XmlAttribute[]): XmlTag {
  let xsiType: string | undefined;
  let isNil = false;
  for (const attribute of attributes) {
    if (attribute.uri !== XSI) continue;
    if (attribute.local === 'type') xsiType = localName(attribute.value.trim());
    if (attribute.local === 'nil') isNil = attribute.value === 'true' || attribute.value === '1';
  }
  return { local, uri, xsiType, isNil, attribute: (name) => attributes.find((one) => one.name === name)?.value };
}

/** Without its prefix: XSD and vim names never collide, and govmomi writes `xsd:string` without binding `xsd`. */
function localName(qname: string): string {
  return qname.slice(qname.indexOf(':') + 1);
}
