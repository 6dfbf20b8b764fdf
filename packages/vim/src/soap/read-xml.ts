// XML events with limits: what a stranger sends may be hostile. DTDs are refused (so there are no entities but XML's five),
// depth, elements, attributes and size are bounded, and the work is linear in the size.

import { SaxesParser, type SaxesTagNS } from 'saxes';
import { MethodFault } from '../method-fault.ts';

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
  const parser = new SaxesParser({ xmlns: true });
  let depth = 0;
  let elements = 0;
  let attributes = 0;
  parser.on('error', (error) => {
    throw invalidXml(`the message is not well-formed XML: ${error.message.slice(0, 200)}`);
  });
  parser.on('doctype', () => {
    throw invalidXml('document type declarations are not allowed');
  });
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding)) throw invalidXml('the message must be UTF-8');
  });
  parser.on('attribute', () => {
    attributes += 1;
    if (attributes > limits.maxAttributes) throw invalidXml('an element has too many attributes');
  });
  parser.on('opentag', (tag) => {
    depth += 1;
    elements += 1;
    attributes = 0;
    if (depth > limits.maxDepth) throw invalidXml(`the message is nested more than ${limits.maxDepth} deep`);
    if (elements > limits.maxElements) throw invalidXml(`the message has more than ${limits.maxElements} elements`);
    handler.open(readTag(tag));
  });
  parser.on('text', (piece) => handler.text(piece));
  parser.on('cdata', (piece) => handler.text(piece));
  parser.on('closetag', () => {
    depth -= 1;
    handler.close();
  });
  parser.write(text).close();
}

function decodeUtf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw invalidXml('the message is not UTF-8');
  }
}

function readTag(tag: SaxesTagNS): XmlTag {
  let xsiType: string | undefined;
  let isNil = false;
  for (const name in tag.attributes) {
    const attribute = tag.attributes[name];
    if (attribute?.uri !== XSI) continue;
    if (attribute.local === 'type') xsiType = localName(attribute.value.trim());
    if (attribute.local === 'nil') isNil = attribute.value === 'true' || attribute.value === '1';
  }
  return {
    local: tag.local,
    uri: tag.uri,
    xsiType,
    isNil,
    attribute: (name) => (Object.hasOwn(tag.attributes, name) ? tag.attributes[name]?.value : undefined),
  };
}

/** Without its prefix: XSD and vim names never collide, and govmomi writes `xsd:string` without binding `xsd`. */
function localName(qname: string): string {
  return qname.slice(qname.indexOf(':') + 1);
}
