// An XML document as a tree, with limits: OVF descriptors come from strangers. DTDs are refused.
import { MethodFault } from '@vivarium/vim';
import { SaxesParser } from 'saxes';

export interface XmlElement {
  /** Without prefix. */
  readonly name: string;
  readonly uri: string;
  /** By name without prefix; OVF qualifies its attributes, producers do not all. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Text directly inside, blanks around it taken away. */
  readonly text: string;
  /** Where it starts, counted from 1. */
  readonly line: number;
}

const MAX_LENGTH = 4 << 20;
const MAX_DEPTH = 64;
const MAX_ELEMENTS = 100_000;

interface Draft extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

/** Throws OvfXmlFormat. */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_LENGTH) throw refused(0, 'the descriptor is too large');
  const parser = new SaxesParser({ xmlns: true });
  const open: Draft[] = [];
  let elements = 0;
  let root: XmlElement | undefined;
  parser.on('error', (error) => {
    throw refused(parser.line, error.message.slice(0, 200));
  });
  parser.on('doctype', () => {
    throw refused(parser.line, 'document type declarations are not allowed');
  });
  parser.on('opentag', (tag) => {
    elements += 1;
    if (elements > MAX_ELEMENTS || open.length >= MAX_DEPTH) throw refused(parser.line, 'too many elements');
    const attributes = new Map(Object.values(tag.attributes).map(({ local, value }) => [local, value]));
    open.push({ name: tag.local, uri: tag.uri, attributes, children: [], text: '', line: parser.line });
  });
  const onText = (piece: string) => {
    const inner = open.at(-1);
    if (inner) inner.text += piece;
  };
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('closetag', () => {
    const closed = open.pop();
    if (!closed) return;
    const element = { ...closed, text: closed.text.trim() };
    const outer = open.at(-1);
    if (outer) outer.children.push(element);
    else root = element;
  });
  parser.write(text).close();
  if (!root) throw refused(0, 'the descriptor is empty');
  return root;
}

/** The first child of that name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((candidate) => candidate.name === name);
}

export function children(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((candidate) => candidate.name === name) ?? [];
}

function refused(line: number, description: string): MethodFault {
  return new MethodFault(
    'OvfXmlFormat',
    { lineNumber: line, description },
    `The OVF descriptor cannot be read: ${description}`,
  );
}
