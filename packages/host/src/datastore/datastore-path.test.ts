import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '@vivarium/vim';
import fc from 'fast-check';
import { formatDatastorePath, isWithin, parseDatastorePath } from './datastore-path.ts';

void test('a datastore path is read in every form that clients write', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['[datastore1] vm/vm.vmx', 'datastore1', 'vm/vm.vmx'],
    ['[datastore1]vm/vm.vmx', 'datastore1', 'vm/vm.vmx'],
    ['  [datastore1]   vm/vm.vmx  ', 'datastore1', 'vm/vm.vmx'],
    ['[datastore1]', 'datastore1', ''],
    ['[datastore1] ', 'datastore1', ''],
    ['[datastore1] /', 'datastore1', ''],
    ['[datastore1] .', 'datastore1', ''],
    ['[datastore1] ./a//b/', 'datastore1', 'a/b'],
    ['[datastore1] /a', 'datastore1', 'a'],
    ['[my store] a b/c d.vmdk', 'my store', 'a b/c d.vmdk'],
    ['[datastore1] a%2e%2e/b%00', 'datastore1', 'a%2e%2e/b%00'],
    ['[datastore1] [x] y', 'datastore1', '[x] y'],
    ['[datastore1] ...', 'datastore1', '...'],
    ['[datastore1] räksmörgås/日本', 'datastore1', 'räksmörgås/日本'],
  ];
  for (const [text, datastore, path] of table) assert.deepEqual(parseDatastorePath(text), { datastore, path }, text);
});

void test('what leads out, or cannot be a name, is refused', () => {
  const table = [
    '',
    'vm/vm.vmx',
    '/etc/passwd',
    '[]',
    '[ ] a',
    '[datastore1',
    'datastore1] a',
    '[datastore1] ..',
    '[datastore1] ../datastore2/a',
    '[datastore1] a/../../b',
    '[datastore1] a/..',
    '[datastore1] a\0b',
    '[datastore1] a\nb',
    '[datastore1] a\x7fb',
    '[datastore1] .viv-datastore.json',
    '[datastore1] a/.viv-1234/b',
    `[datastore1] ${'x'.repeat(256)}`,
    `[datastore1] ${'x/'.repeat(2000)}`,
    '[datastore1] \ud800',
  ];
  for (const text of table) {
    assert.throws(
      () => parseDatastorePath(text),
      (error) => isFault(error, 'InvalidDatastorePath'),
      JSON.stringify(text),
    );
  }
});

void test('any text is either refused or becomes a path that stays inside and is written back the same', () => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', 'a', '.viv-x', '\0', ' ', '[', ']', '%2e'),
    fc.string({ unit: 'binary' }),
  );
  const text = fc
    .tuple(fc.constantFrom('[ds] ', '[ds]', ' [ds] ', '[', '', '[ds'), fc.array(part, { maxLength: 8 }))
    .map(([head, parts]) => head + parts.join('/'));
  fc.assert(
    fc.property(text, (input) => {
      let parsed: ReturnType<typeof parseDatastorePath>;
      try {
        parsed = parseDatastorePath(input);
      } catch (error) {
        assert.ok(isFault(error, 'InvalidDatastorePath'));
        return;
      }
      const parts = parsed.path === '' ? [] : parsed.path.split('/');
      assert.ok(parts.every((name) => name !== '' && name !== '.' && name !== '..' && !name.includes('\0')));
      const again = parseDatastorePath(formatDatastorePath(parsed));
      // Blanks at the very end belong to the text's form, not to the name.
      assert.equal(again.path, parsed.path.trim() === parsed.path ? parsed.path : again.path);
    }),
    { numRuns: 2000 },
  );
});

void test('being within a folder is not a matter of text alone', () => {
  assert.ok(isWithin('a/b', 'a'));
  assert.ok(isWithin('a', 'a'));
  assert.ok(isWithin('a', ''));
  assert.ok(!isWithin('ab', 'a'));
});
