import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { folderUrl, parseFolderTarget } from './folder-target.ts';
import { listingPage } from './listing-page.ts';

void test('a URL names a place, whatever characters its names have', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
    .filter((text) => !/^\.+$|[/]|\p{Cc}/u.test(text));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (parts) => {
      const path = parts.join('/');
      assert.deepEqual(parseFolderTarget(folderUrl('DC 0', 'my store', path)), {
        kind: 'place',
        dcPath: 'DC 0',
        datastore: 'my store',
        path,
      });
    }),
  );
});

void test('no path leads out of a datastore', () => {
  for (const path of ['../x', 'a/../../sdk', '%2e%2e/sdk', 'a/%2E%2E%2Fx', '%2F..%2F..', '%zz']) {
    assert.equal(parseFolderTarget(`/folder/${path}?dcPath=DC0&dsName=d`), undefined, path);
  }
  const target = parseFolderTarget('/folder//a/./b/%252e%252e?dcPath=DC0&dsName=d');
  assert.deepEqual(target, { kind: 'place', dcPath: 'DC0', datastore: 'd', path: 'a/b/%2e%2e' });
});

void test('without a datastore a URL names datacenters, or one of them', () => {
  assert.deepEqual(parseFolderTarget('/folder'), { kind: 'datacenters' });
  assert.deepEqual(parseFolderTarget('/folder?dcPath=DC0'), { kind: 'datastores', dcPath: 'DC0' });
  assert.equal(parseFolderTarget('/folder/a?dcPath=DC0'), undefined);
});

void test('names on a page are text', () => {
  const page = listingPage({ title: '<script>', entries: [{ name: '"><img src=x>', href: '/a"b' }] });
  assert.ok(!page.includes('<script>') && !page.includes('<img') && !page.includes('a"b'));
});
