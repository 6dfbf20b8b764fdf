import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatVmx } from './format-vmx.ts';
import { parseVmx, VmxSyntaxError, type VmxSyntaxReason } from './parse-vmx.ts';
import { isVmxKey, VmxFile } from './vmx-file.ts';

const asObject = (file: VmxFile) => Object.fromEntries(Array.from(file.entries(), ({ key, value }) => [key, value]));

void test('keys ignore case and keep their spelling and order', () => {
  const file = parseVmx(
    '#!/usr/bin/vmware\n.encoding = "UTF-8"\nmemSize = "512"\n\n# c\nscsi0:0.fileName = "a.vmdk"\n',
  );
  assert.deepEqual(asObject(file), { '.encoding': 'UTF-8', memSize: '512', 'scsi0:0.fileName': 'a.vmdk' });
  assert.equal(file.get('MEMSIZE'), '512');
  assert.equal(file.has('SCSI0:0.filename'), true);
});

void test('the last of several equal keys wins in the place of the first', () => {
  const file = parseVmx('a = "1"\r\nb = "2"\r\nA = "3"');
  assert.deepEqual(asObject(file), { A: '3', b: '2' });
});

void test('escapes are |XX of the UTF-8 bytes', () => {
  const file = parseVmx('annotation = "a |22b|22|0Ac |7C d caf|C3|A9 100|zz"');
  assert.equal(file.get('annotation'), 'a "b"\nc | d café 100|zz');
  assert.equal(
    formatVmx(VmxFile.of({ annotation: 'a "b"\r\n|' })),
    '.encoding = "UTF-8"\nannotation = "a |22b|22|0D|0A|7C"\n',
  );
});

void test('hand-written files: unquoted words, comments behind values, tabs', () => {
  const file = parseVmx('memsize = 1024\nnumvcpus=2 # two\ndisplayName\t=\t"a # b" # name\nx =');
  assert.deepEqual(asObject(file), { memsize: '1024', numvcpus: '2', displayName: 'a # b', x: '' });
});

void test("bytes are decoded by the file's own encoding", () => {
  const latin = Buffer.from('.encoding = "windows-1252"\ndisplayName = "caf\xe9"\n', 'latin1');
  assert.equal(parseVmx(latin).get('displayName'), 'café');
  const bare = Buffer.from('displayName = "caf\xe9"\n', 'latin1');
  assert.equal(parseVmx(bare).get('displayName'), 'café');
  const utf8 = Buffer.from('\uFEFFdisplayName = "日本"\n', 'utf8');
  assert.equal(parseVmx(utf8).get('displayName'), '日本');
  const gbk = Buffer.concat([
    Buffer.from('.encoding = "GBK"\ndisplayName = "'),
    Buffer.from([0xc4, 0xe3]),
    Buffer.from('"\n'),
  ]);
  assert.equal(parseVmx(gbk).get('displayName'), '你');
});

const refused: [string, VmxSyntaxReason, string | Uint8Array][] = [
  ['text without an assignment', 'noAssignment', 'hello\n'],
  ['a key of two words', 'badKey', 'a b = "1"'],
  ['no key', 'badKey', ' = "1"'],
  ['an endless key', 'badKey', `${'k'.repeat(2000)} = "1"`],
  ['an open quote', 'badValue', 'a = "1\n'],
  ['text after the quote', 'badValue', 'a = "1" b'],
  ['a bare quote', 'badValue', 'a = 1"2'],
  ['control characters', 'badValue', 'a = "\x01"'],
  ['NUL bytes', 'badValue', 'a = "x\0y"'],
  ['an escaped NUL', 'badEscape', 'a = "|00"'],
  ['escapes that are not UTF-8', 'badEscape', 'a = "|FF"'],
  ['an unknown encoding', 'badEncoding', Buffer.from('.encoding = "klingon"\n')],
  ['bytes against the declared encoding', 'badEncoding', Buffer.from('.encoding = "UTF-8"\na = "\xe9"', 'latin1')],
  ['too many lines', 'tooManyLines', '\n'.repeat(20_001)],
  ['too many bytes', 'tooLarge', Buffer.alloc(8 * 1024 * 1024 + 1)],
];
for (const [what, reason, input] of refused) {
  void test(`refuses ${what}`, () => {
    assert.throws(
      () => parseVmx(input),
      (error) => error instanceof VmxSyntaxError && error.reason === reason,
    );
  });
}

const key = fc
  .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
  .filter((k) => isVmxKey(k) && k.toLowerCase() !== '.encoding');
const value = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''));

void test('what is formatted is read back as it was (property)', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value)), (entries) => {
      const file = new VmxFile();
      for (const [k, v] of entries) file.set(k, v);
      const back = parseVmx(formatVmx(file));
      back.delete('.encoding');
      assert.deepEqual([...back.entries()], [...file.entries()]);
      assert.deepEqual([...parseVmx(Buffer.from(formatVmx(back))).entries()].slice(1), [...file.entries()]);
    }),
    { numRuns: 300 },
  );
});

void test('any text either parses or is refused with a VmxSyntaxError (fuzz)', () => {
  const noise = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc
      .array(fc.constantFrom('a', '=', '"', '|', '22', '#', '\n', ' ', '|00', '|C3', '.encoding', 'UTF-8'), {
        maxLength: 60,
      })
      .map((a) => a.join('')),
  );
  const tryParse = (input: string | Uint8Array) => {
    try {
      parseVmx(input);
    } catch (error) {
      if (!(error instanceof VmxSyntaxError)) throw error;
    }
  };
  fc.assert(fc.property(noise, tryParse), { numRuns: 1000 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), tryParse), { numRuns: 1000 });
});
