import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SaxesParser } from 'saxes';
import { schema, wsdl } from '../index.ts';

const files = wsdl();

interface Seen {
  readonly declared: Set<string>;
  readonly referred: Set<string>;
}

/** Names that a file declares (`name=`) and that it refers to (`vim25:…` in type, base, element and message attributes). */
function names(text: string): Seen {
  const declared = new Set<string>();
  const referred = new Set<string>();
  const parser = new SaxesParser({ xmlns: true });
  let depth = 0;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    depth += 1;
    const name = tag.attributes['name']?.value;
    if (
      name !== undefined &&
      ['complexType', 'simpleType', 'element', 'message', 'portType'].includes(tag.local) &&
      depth <= 4
    )
      declared.add(name);
    for (const attribute of ['type', 'base', 'element', 'message', 'binding']) {
      const value = tag.attributes[attribute]?.value;
      if (value?.startsWith('vim25:') === true) referred.add(value.slice('vim25:'.length));
    }
  });
  parser.on('closetag', () => {
    depth -= 1;
  });
  parser.write(text).close();
  return { declared, referred };
}

void test('every file is well-formed and every name that is referred to is declared', () => {
  assert.deepEqual([...files.keys()], ['vimService.wsdl', 'vim.wsdl', 'vim-messagetypes.xsd', 'vim-types.xsd']);
  const seen = [...files.values()].map(names);
  const declared = seen.reduce((all, { declared: own }) => all.union(own), new Set<string>());
  for (const { referred } of seen) {
    for (const name of referred) assert.ok(declared.has(name), `${name} is not declared`);
  }
});

void test('a client finds the files beside the first one', () => {
  assert.match(files.get('vimService.wsdl') ?? '', /<import location="vim\.wsdl" namespace="urn:vim25"\/>/);
  assert.match(files.get('vim.wsdl') ?? '', /<include schemaLocation="vim-messagetypes\.xsd"\/>/);
  assert.match(files.get('vim-messagetypes.xsd') ?? '', /<include schemaLocation="vim-types\.xsd"\/>/);
});

void test('every method is an operation that asks for the newest version', () => {
  const text = files.get('vim.wsdl') ?? '';
  const operations = [...text.matchAll(/<soap:operation soapAction="urn:vim25\/9\.0\.0\.0"/g)];
  assert.equal(operations.length, schema.names('method').length);
});
