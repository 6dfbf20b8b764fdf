import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import fc from 'fast-check';
import Fastify from 'fastify';
import { type FolderSource, registerFolderDoor } from './folder-door.ts';
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

void test('for a client that went away while it was found out who it is nothing is opened', async (t) => {
  const asked = Promise.withResolvers<void>();
  const known = Promise.withResolvers<void>();
  let opened = 0;
  const source: FolderSource = {
    log: silentLogger,
    async authenticate() {
      asked.resolve();
      await known.promise;
      return { isAnonymous: false } as never;
    },
    list: () => assert.fail(),
    async open() {
      opened += 1;
      return { status: 200, body: '' };
    },
  };
  const app = Fastify({ forceCloseConnections: true });
  t.after(() => app.close());
  const answered = Promise.withResolvers<void>();
  app.addHook('onSend', async () => answered.resolve());
  registerFolderDoor(app, source);
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const client = connect(Number(port), '127.0.0.1');
  client.write('GET /folder/a?dcPath=DC0&dsName=d HTTP/1.1\r\nHost: x\r\n\r\n');
  const [served] = (await Promise.all([once(app.server, 'connection'), asked.promise]))[0] as [Socket];
  client.destroy();
  if (!served.closed) await once(served, 'close');
  known.resolve();
  await answered.promise;
  assert.equal(opened, 0);
});
