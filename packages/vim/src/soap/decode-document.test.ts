import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeXmlDocument, isFault } from '../index.ts';

const LIMITS = { maxSize: 10_000, maxDepth: 20, maxElements: 100, maxAttributes: 8 };
const decode = (text: string) => decodeXmlDocument('ObjectContent', Buffer.from(text), LIMITS);

void test('a document is the data object that it says, and may lack what is required', () => {
  const name =
    '<propSet><name>name</name><val xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type="xsd:string">a</val></propSet>';
  assert.deepEqual(decode(`<ObjectContent><obj type="Folder">group-d1</obj>${name}<later/></ObjectContent>`), {
    _typeName: 'ObjectContent',
    obj: { type: 'Folder', value: 'group-d1' },
    propSet: [{ _typeName: 'DynamicProperty', name: 'name', val: { _typeName: 'string', _value: 'a' } }],
  });
  assert.deepEqual(decode('<ObjectContent/>'), { _typeName: 'ObjectContent' });
});

void test('anything else is refused, with a fault', () => {
  const deep = `${'<a>'.repeat(30)}${'</a>'.repeat(30)}`;
  for (const text of [
    '',
    '<x/>',
    '<ObjectContent>',
    `<ObjectContent>${deep}</ObjectContent>`,
    '<ObjectContent>text</ObjectContent>',
    '<ObjectContent><obj>a</obj></ObjectContent>',
    `<ObjectContent>${' '.repeat(10_000)}</ObjectContent>`,
  ]) {
    assert.throws(
      () => decode(text),
      (error) => isFault(error, 'MethodFault'),
      text.slice(0, 40),
    );
  }
});
