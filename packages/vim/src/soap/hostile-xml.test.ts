import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeSoapRequest, isFault, MethodFault } from '../index.ts';
import { envelope, request } from '../testing/soap-text.ts';

/** What the decoder answered: undefined when it took the body. Anything but a MethodFault is thrown on. */
function answer(body: Uint8Array | string): MethodFault | undefined {
  try {
    decodeSoapRequest(body, 'urn:vim25/9.0.0.0');
    return undefined;
  } catch (error) {
    if (error instanceof MethodFault) return error;
    throw error;
  }
}

function assertRefusedQuickly(body: Uint8Array | string, withinMs: number): void {
  const start = performance.now();
  assert.ok(isFault(answer(body), 'InvalidRequest'));
  const tookMs = performance.now() - start;
  assert.ok(tookMs < withinMs, `took ${tookMs} ms`);
}

void test('a body of 17 MB is refused before it is read', () => {
  assertRefusedQuickly(new Uint8Array(17 << 20).fill(0x20), 100);
  assertRefusedQuickly(' '.repeat(17 << 20), 100);
});

void test('a document type is refused, so there are no entities to expand or files to fetch', () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 20 }, (_, i) => `<!ENTITY a${i} "&a;&a;&a;">`).join('')}]>`;
  assertRefusedQuickly(`${bomb}<x>&a19;</x>`, 500);
  assertRefusedQuickly('<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', 500);
  assertRefusedQuickly(request('Rename_Task', 'Folder', '<newName>&xxe;</newName>'), 500);
});

void test('nesting deeper than 256 is refused, in known elements and in skipped ones', () => {
  assertRefusedQuickly('<a>'.repeat(1_000_000), 1000);
  assertRefusedQuickly(
    envelope(`<Logout xmlns="urn:vim25">${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}</Logout>`),
    1000,
  );
  const selection = '<selectSet xsi:type="TraversalSpec">';
  assertRefusedQuickly(
    request('CreateFilter', 'PropertyCollector', `<spec><objectSet>${selection.repeat(5000)}`),
    1000,
  );
});

void test('too many elements or attributes are refused', () => {
  assertRefusedQuickly(request('Rename_Task', 'Folder', '<a/>'.repeat(1_000_000)), 5000);
  const attributes = Array.from({ length: 100_000 }, (_, index) => `a${index}=""`).join(' ');
  assertRefusedQuickly(request('Rename_Task', 'Folder', `<a ${attributes}/>`), 1000);
});

void test('names of Object.prototype are no fields, types or methods', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    assert.ok(isFault(answer(request(name, 'Folder')), 'MethodNotFound'), name);
    assert.ok(isFault(answer(request('Logout', name)), 'InvalidType'), name);
    const spec = `<spec><${name}>x</${name}></spec>`;
    const { args } = decodeSoapRequest(request('ReconfigVM_Task', 'VirtualMachine', spec), 'urn:vim25/9.0.0.0');
    assert.deepEqual(Object.keys(args['spec'] as object), ['_typeName']);
  }
});

const FIXTURES = `${import.meta.dirname}/../../fixtures/requests`;
const BODIES = readdirSync(FIXTURES)
  .filter((file) => file.endsWith('.xml'))
  .map((file) => readFileSync(`${FIXTURES}/${file}`, 'utf8'));

const PIECES = [
  '<',
  '>',
  '/',
  '</',
  '"',
  '&',
  ';',
  '&#0;',
  '&#x110000;',
  '&lt;',
  ']]>',
  '<![CDATA[',
  '<!--',
  '<?x',
  '?>',
  'xmlns=""',
  'xsi:type="',
  'ArrayOf',
  'xsd:int',
  'type="',
  '\0',
  '\ud800',
  '\ufffe',
  ' ',
  '<a>',
  '</a>',
  '-1',
  '99999999999999999999',
  'NaN',
  '<value xsi:type="ArrayOfAnyType"><anyType xsi:type="ArrayOfAnyType">',
  '<_this type="Folder">x</_this>',
  '<spec/>',
]; // prettier-ignore

type Mutation = { at: number; length: number; insert: string };

function mutate(body: string, mutations: readonly Mutation[]): string {
  return mutations.reduce((text, { at, length, insert }) => {
    const start = Math.floor(at * text.length);
    return text.slice(0, start) + insert + text.slice(start + length);
  }, body);
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof(fc.constant(0), fc.nat({ max: 8 }), fc.nat({ max: 200 })),
  insert: fc.oneof(fc.constant(''), fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })),
});

void test('a damaged request is taken or refused with a MethodFault, never anything else, and soon', () => {
  fc.assert(
    fc.property(fc.constantFrom(...BODIES), fc.array(mutation, { minLength: 1, maxLength: 6 }), (body, mutations) => {
      const start = performance.now();
      answer(mutate(body, mutations));
      assert.ok(performance.now() - start < 1000);
    }),
    { numRuns: 3000 },
  );
});

void test('random bytes are refused with a MethodFault', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.ok(answer(bytes) instanceof MethodFault);
    }),
  );
});
