// The reader takes and refuses what saxes takes and refuses, and tells the same of it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { scanXml, XmlError } from './xml-scanner.ts';

/** What is told of a document, text joined; undefined when it is refused. */
type Told = readonly unknown[] | undefined;

function ours(text: string): Told {
  const told: unknown[] = [];
  try {
    scanXml(text, {
      declaration: () => undefined,
      attribute: () => undefined,
      open(local, uri, attributes) {
        const list = attributes
          .filter(({ name }) => name !== 'xmlns' && !name.startsWith('xmlns:'))
          .map((one) => [one.name, one.local, one.uri, one.value]);
        told.push(['open', local, uri, list]);
      },
      text: (piece) => addText(told, piece),
      close: () => told.push(['close']),
    });
    return told;
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

function theirs(text: string): Told {
  const told: unknown[] = [];
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0', forceXMLVersion: true });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('doctype', () => {
    throw new Error('no document types');
  });
  parser.on('opentag', ({ local, uri, attributes }) => {
    const list = Object.values(attributes)
      .filter(({ name }) => name !== 'xmlns' && !name.startsWith('xmlns:'))
      .map((one) => [one.name, one.local, one.uri, one.value]);
    told.push(['open', local, uri, list]);
  });
  parser.on('text', (piece) => addText(told, piece));
  parser.on('cdata', (piece) => addText(told, piece));
  parser.on('closetag', () => told.push(['close']));
  try {
    parser.write(text).close();
    return told;
  } catch {
    return undefined;
  }
}

/** Between two tags; outside of the root it is nothing but space. */
function addText(told: unknown[], piece: string): void {
  const last = told.at(-1);
  if (piece === '' || last === undefined) return;
  if (Array.isArray(last) && last[0] === 'text') last[1] += piece;
  else told.push(['text', piece]);
}

function withoutTail(told: Told): Told {
  const last = told?.at(-1);
  return Array.isArray(last) && last[0] === 'text' && String(last[1]).trim() === '' ? told?.slice(0, -1) : told;
}

/** saxes takes `<?x?y?>`, where XML wants space or the end after the target. */
const LENIENT = /<\?[^ \t\r\n?>]+\?(?!>)/;

function compare(text: string): void {
  if (LENIENT.test(text)) return;
  assert.deepEqual(withoutTail(ours(text)), withoutTail(theirs(text)), JSON.stringify(text));
}

const documents = [
  '<a/>',
  '<a></a >',
  ' \n<a>\r\nx\ry</a>\n',
  '\ufeff<?xml version="1.0"?><a/>',
  "<?xml version='1.1' encoding='utf-8' standalone='yes' ?>\n<a/>",
  '<?xml version="1.0" standalone="yes" encoding="utf-8"?><a/>',
  '<?xml encoding="utf-8"?><a/>',
  ' <?xml version="1.0"?><a/>',
  '<?xml version="2.0"?><a/>',
  '<?xmlx y?><a/>',
  '<?XML y?><a/>',
  '<?a:b y?><a/>',
  '<?p?><a/><?p ? > ?>',
  '<!-- a - b --><a><!----></a>',
  '<!-- a -- b --><a/>',
  '<a><![CDATA[<&\r\n]] >]]></a>',
  '<![CDATA[]]><a/>',
  '<a>]]></a>',
  '<a>]]&gt;</a>',
  '<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x41;&#x1F600;&#13;</a>',
  '<a>&#0;</a>',
  '<a>&#xFFFE;</a>',
  '<a>&#x110000;</a>',
  '<a>&#xD800;</a>',
  '<a>&nbsp;</a>',
  '<a>& </a>',
  '<a>&lt</a>',
  '<a b="&lt;&#10;" c=\'"\'/>',
  '<a b="x\ty\r\nz\rw"/>',
  '<a b="<"/>',
  '<a b = "1"\n c\t=\t"2"/>',
  '<a b="1"c="2"/>',
  '<a b/>',
  '<a b=1/>',
  '<a b="1" b="2"/>',
  '<p:a xmlns:p="u"><p:b/><b xmlns="v" p:c="1" c="2"/></p:a>',
  '<a xmlns:p="u" xmlns:q="u" p:c="1" q:c="2"/>',
  '<a xmlns:p=""/>',
  '<a xmlns="u"><b xmlns=""/></a>',
  '<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="en"/>',
  '<a xmlns:xml="u"/>',
  '<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>',
  '<a xmlns:p="http://www.w3.org/2000/xmlns/"/>',
  '<a xmlns:xmlns="u"/>',
  '<xmlns:a xmlns:xmlns="u"/>',
  '<xmlns:a/>',
  '<a xmlns:p=" u "><p:b/></a>',
  '<p:a/>',
  '<a p:b=""/>',
  '<p:q:a xmlns:p="u"/>',
  '<:a/>',
  '<a:/>',
  '<-a/>',
  '<1a/>',
  '<é·/>',
  '<·/>',
  '<𐀀/>',
  '< a/>',
  '<a / >',
  '<a/><b/>',
  '<a/>x',
  'x<a/>',
  '<a><b></a></b>',
  '<a>',
  '</a>',
  '',
  ' ',
  '<a>\u0000</a>',
  '<a>\u0085\u2028\u007f</a>',
  '<a>\ufffe</a>',
  '<!ELEMENT a ANY><a/>',
  '<a><!DOCTYPE b></a>',
];

for (const document of documents) {
  void test(`as saxes: ${JSON.stringify(document)}`, () => compare(document));
}

const FIXTURES = `${import.meta.dirname}/../../fixtures/requests`;
const BODIES = readdirSync(FIXTURES)
  .filter((file) => file.endsWith('.xml'))
  .map((file) => readFileSync(`${FIXTURES}/${file}`, 'utf8'));

// Without lone surrogates: saxes joins one with whatever follows. They never come out of UTF-8, and are refused here.
const PIECES = (
  '< > / </ /> " \' = & ; &#0; &#x41; &lt; ]]> <![CDATA[ ]] <!-- -- --> <? ?> <?x xmlns="" xmlns="u" xmlns:p="u" p: :a ' +
  'a="1" é · <a> </a> <p:a> </p:a> xsi:type="x" \u0000 \u0085 \ufffe \r \r\n \t'
).split(' ');

void test('half a surrogate pair is refused', () => {
  assert.equal(ours('<a>\ud800</a>'), undefined);
  assert.equal(ours('<a>\udc00\ud800</a>'), undefined);
});

void test('damaged requests are read as saxes reads them', () => {
  const piece = fc.oneof(fc.constantFrom(...PIECES, ' ', '\n'), fc.string({ maxLength: 4 }));
  const mutation = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat({ max: 20 }), piece });
  const body = fc.oneof(fc.constantFrom(...BODIES), fc.constantFrom(...documents));
  fc.assert(
    fc.property(body, fc.array(mutation, { maxLength: 4 }), (text, mutations) => {
      compare(
        mutations.reduce((changed, { at, length, piece: insert }) => {
          const start = Math.floor(at * changed.length);
          return changed.slice(0, start) + insert + changed.slice(start + length);
        }, text),
      );
    }),
    { numRuns: 3000 },
  );
});

void test('texts put together of pieces of markup are read as saxes reads them', () => {
  const piece = fc.constantFrom(...PIECES, ' ', 'a', '1', '\n');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      compare(`<r xmlns:p="q">${pieces.join('')}</r>`);
      compare(`<r ${pieces.join('')}/>`);
      compare(pieces.join(''));
    }),
    { numRuns: 3000 },
  );
});
