// A strict XML 1.0 reader for messages, with namespaces: well-formed or refused, in one pass over the text. Knows no document
// types, so the only entities are the five of XML. What it takes and tells equals saxes, which it is tested against
// (docs/decisions/0017); for a message of a kilobyte it is eight times as fast.

import { XmlNamespaces } from './xml-namespaces.ts';

export interface XmlAttribute {
  /** As written. */
  readonly name: string;
  readonly local: string;
  readonly uri: string;
  readonly value: string;
}

export interface XmlEvents {
  /** The encoding that the document says to be in. Throw to refuse. */
  declaration(encoding: string | undefined): void;
  /** Called for each attribute before its element is opened, with their number so far. */
  attribute(count: number): void;
  open(local: string, uri: string, attributes: readonly XmlAttribute[]): void;
  /** May come in pieces. */
  text(text: string): void;
  close(): void;
}

export class XmlError extends Error {}

const SPACES = /[ \t\r\n]+/y;
const DECLARATION =
  /<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.\d+"|'1\.\d+')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][\w.-]*)"|'([A-Za-z][\w.-]*)'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>/y;
const START =
  'A-Z_a-z\\xc0-\\xd6\\xd8-\\xf6\\xf8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}';
const NCNAME = `[${START}][${START}\\-.0-9\\xb7\\u0300-\\u036f\\u203f\\u2040]*`;
const QNAME = new RegExp(`(?:(${NCNAME}):)?(${NCNAME})`, 'uy');
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const REFERENCE = /&(?:(lt|gt|amp|apos|quot)|#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10})));|&/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: "'", quot: '"' };

const NONE: readonly XmlAttribute[] = [];

interface Name {
  /** As written. */
  readonly name: string;
  /** '' without one. */
  readonly prefix: string;
  readonly local: string;
}

interface RawAttribute extends Name {
  readonly value: string;
}

/** By character code: 1 for what may stand in a name, besides the colon. */
const ASCII_NAME = Uint8Array.from({ length: 0x80 }, (_, code) => Number(/[\w.-]/.test(String.fromCharCode(code))));

function isAsciiStart(code: number): boolean {
  return code === 0x5f || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

/** Throws XmlError for what is not well-formed; what `events` throw goes through. */
export function scanXml(text: string, events: XmlEvents): void {
  new Scanner(text, events).scan();
}

class Scanner {
  readonly #text: string;
  readonly #events: XmlEvents;
  readonly #namespaces = new XmlNamespaces();
  /** Names of the open elements, as written. */
  readonly #open: string[] = [];
  #at = 0;
  #hasRoot = false;

  constructor(text: string, events: XmlEvents) {
    this.#text = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    this.#events = events;
  }

  scan(): void {
    if (FORBIDDEN.test(this.#text) || !this.#text.isWellFormed())
      throw new XmlError('a character that XML does not allow');
    this.#scanDeclaration();
    while (this.#at < this.#text.length) {
      if (this.#text.charCodeAt(this.#at) === 0x3c) this.#scanMarkup();
      else this.#scanText();
    }
    if (this.#open.length > 0) throw new XmlError(`${this.#open.at(-1)} is not closed`);
    if (!this.#hasRoot) throw new XmlError('there is no element');
  }

  #scanDeclaration(): void {
    let encoding: string | undefined;
    if (this.#text.startsWith('<?xml') && /^[ \t\r\n?]/.test(this.#text.slice(5, 6))) {
      DECLARATION.lastIndex = 0;
      const match = DECLARATION.exec(this.#text);
      if (!match) throw new XmlError('the XML declaration is malformed');
      encoding = match[1] ?? match[2];
      this.#at = DECLARATION.lastIndex;
    }
    this.#events.declaration(encoding);
  }

  #scanMarkup(): void {
    switch (this.#text.charCodeAt(this.#at + 1)) {
      case 0x2f: // '/'
        return this.#scanEndTag();
      case 0x21: // '!'
        return this.#scanDeclarationLike();
      case 0x3f: // '?'
        return this.#scanInstruction();
      default:
        return this.#scanStartTag();
    }
  }

  #scanText(): void {
    const found = this.#text.indexOf('<', this.#at);
    const end = found < 0 ? this.#text.length : found;
    const raw = this.#text.slice(this.#at, end);
    this.#at = end;
    if (this.#open.length === 0) {
      if (/[^ \t\r\n]/.test(raw)) throw new XmlError('text outside of the root element');
      return;
    }
    if (raw.includes(']]>')) throw new XmlError('"]]>" in text');
    this.#events.text(resolve(raw));
  }

  /** Comments, CDATA; document types are refused. */
  #scanDeclarationLike(): void {
    if (this.#text.startsWith('<!--', this.#at)) {
      const end = this.#find('--', this.#at + 4);
      if (this.#text.charCodeAt(end + 2) !== 0x3e) throw new XmlError('"--" in a comment');
      this.#at = end + 3;
    } else if (this.#open.length > 0 && this.#text.startsWith('<![CDATA[', this.#at)) {
      const end = this.#find(']]>', this.#at + 9);
      this.#events.text(withoutCarriageReturns(this.#text.slice(this.#at + 9, end)));
      this.#at = end + 3;
    } else if (this.#text.startsWith('<!DOCTYPE', this.#at)) {
      throw new XmlError('document type declarations are not allowed');
    } else {
      throw new XmlError('a declaration that XML does not have');
    }
  }

  #scanInstruction(): void {
    this.#at += 2;
    const { name, prefix } = this.#scanName();
    if (prefix !== '' || name.toLowerCase() === 'xml') throw new XmlError('a malformed processing instruction');
    if (!this.#text.startsWith('?>', this.#at) && !this.#skipSpaces())
      throw new XmlError('a malformed processing instruction');
    this.#at = this.#find('?>', this.#at) + 2;
  }

  #scanStartTag(): void {
    this.#at += 1;
    if (this.#open.length === 0 && this.#hasRoot) throw new XmlError('more than one root element');
    const { name, prefix, local } = this.#scanName();
    const depth = this.#open.length + 1;
    const attributes = this.#scanAttributes(depth);
    const uri = this.#namespaceOf(prefix, name);
    if (prefix === 'xmlns') throw new XmlError('the prefix xmlns is for declarations');
    this.#hasRoot = true;
    this.#events.open(local, uri, attributes);
    if (this.#text.charCodeAt(this.#at) === 0x2f) {
      this.#at += 1;
      this.#expect('>');
      this.#events.close();
      this.#namespaces.leave(depth);
    } else {
      this.#expect('>');
      this.#open.push(name);
    }
  }

  #scanEndTag(): void {
    this.#at += 2;
    const { name } = this.#scanName();
    this.#skipSpaces();
    this.#expect('>');
    const depth = this.#open.length;
    if (this.#open.pop() !== name) throw new XmlError(`${name} is closed but not open`);
    this.#events.close();
    this.#namespaces.leave(depth);
  }

  #scanAttributes(depth: number): readonly XmlAttribute[] {
    let raw: RawAttribute[] | undefined;
    let hasSpace = this.#skipSpaces();
    for (let next = this.#text.charCodeAt(this.#at); next !== 0x3e && next !== 0x2f; ) {
      if (!hasSpace) throw new XmlError('space is missing before an attribute');
      const attribute = this.#scanAttribute();
      if (raw?.some(({ name }) => name === attribute.name)) throw new XmlError(`${attribute.name} is given twice`);
      (raw ??= []).push(attribute);
      this.#events.attribute(raw.length);
      hasSpace = this.#skipSpaces();
      next = this.#text.charCodeAt(this.#at);
    }
    if (!raw) return NONE;
    for (const { name, prefix, local, value } of raw) {
      if (prefix !== 'xmlns' && name !== 'xmlns') continue;
      const wrong = this.#namespaces.declare(prefix === 'xmlns' ? local : '', value.trim(), depth);
      if (wrong) throw new XmlError(wrong);
    }
    return this.#resolveAttributes(raw);
  }

  #scanAttribute(): RawAttribute {
    const { name, prefix, local } = this.#scanName();
    this.#skipSpaces();
    this.#expect('=');
    this.#skipSpaces();
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") throw new XmlError(`${name} is not quoted`);
    const end = this.#find(quote, this.#at + 1);
    const raw = this.#text.slice(this.#at + 1, end);
    if (raw.includes('<')) throw new XmlError(`"<" in ${name}`);
    this.#at = end + 1;
    return { name, prefix, local, value: resolve(/[\t\r\n]/.test(raw) ? raw.replace(/\r\n|[\t\r\n]/g, ' ') : raw) };
  }

  #resolveAttributes(raw: readonly RawAttribute[]): XmlAttribute[] {
    const attributes: XmlAttribute[] = [];
    for (const { name, prefix, local, value } of raw) {
      // Unlike elements, attributes without a prefix are in no namespace.
      const uri = prefix === '' || prefix === 'xmlns' ? '' : this.#namespaceOf(prefix, name);
      const isTwice = uri !== '' && attributes.some((other) => other.uri === uri && other.local === local);
      if (isTwice) throw new XmlError(`${name} is given twice`);
      attributes.push({ name, local, uri, value });
    }
    return attributes;
  }

  #namespaceOf(prefix: string, name: string): string {
    const uri = this.#namespaces.resolve(prefix);
    if (uri === undefined && prefix !== 'xmlns') throw new XmlError(`the prefix of ${name} is not bound`);
    return uri ?? '';
  }

  #scanName(): Name {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let colon = -1;
    let code = text.charCodeAt(at);
    // Names are ASCII, but for those that the expression is for.
    while (code < 0x80 && (ASCII_NAME[code] === 1 || (code === 0x3a && colon < 0))) {
      if (code === 0x3a) colon = at;
      at += 1;
      code = text.charCodeAt(at);
    }
    const local = colon < 0 ? start : colon + 1;
    const isPlain = isAsciiStart(text.charCodeAt(start)) && isAsciiStart(text.charCodeAt(local)) && local < at;
    if (!isPlain || code >= 0x80) return this.#scanOtherName();
    if (code === 0x3a) throw new XmlError('a malformed name');
    this.#at = at;
    const name = text.slice(start, at);
    return { name, prefix: colon < 0 ? '' : text.slice(start, colon), local: colon < 0 ? name : text.slice(local, at) };
  }

  #scanOtherName(): Name {
    QNAME.lastIndex = this.#at;
    const match = QNAME.exec(this.#text);
    if (!match) throw new XmlError('a name is expected');
    this.#at = QNAME.lastIndex;
    if (this.#text.charCodeAt(this.#at) === 0x3a) throw new XmlError('a malformed name');
    return { name: match[0], prefix: match[1] ?? '', local: match[2] ?? '' };
  }

  /** Whether there were any. */
  #skipSpaces(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x09 && code !== 0x0d) return false;
    SPACES.lastIndex = this.#at;
    SPACES.test(this.#text);
    this.#at = SPACES.lastIndex;
    return true;
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw new XmlError(`"${character}" is expected`);
    this.#at += 1;
  }

  /** Where the text is found, from `from` on. */
  #find(wanted: string, from: number): number {
    const found = this.#text.indexOf(wanted, from);
    if (found < 0) throw new XmlError(`"${wanted}" is missing`);
    return found;
  }
}

function resolve(raw: string): string {
  const text = withoutCarriageReturns(raw);
  if (!text.includes('&')) return text;
  return text.replace(REFERENCE, (whole, entity?: string, hex?: string, decimal?: string) => {
    if (entity !== undefined) return ENTITIES[entity] ?? '';
    if (hex === undefined && decimal === undefined) throw new XmlError('an entity that XML does not have');
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (!isCharacter(code)) throw new XmlError(`${whole} is no character`);
    return String.fromCodePoint(code);
  });
}

function isCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x1_0000 && code <= 0x10_ffff);
}

/** Line ends are LF (XML 1.0, 2.11). */
function withoutCarriageReturns(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}
