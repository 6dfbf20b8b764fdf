import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from './errors.ts';
import { parseStoreUrl } from './store-url.ts';

void test('an address names an engine, its place and its parameters', () => {
  assert.deepEqual(parseStoreUrl('memory:'), { engine: 'memory' });
  assert.deepEqual(parseStoreUrl('sqlite:///var/lib/a%20b.db?maxBytes=4096'), {
    engine: 'sqlite',
    path: '/var/lib/a b.db',
    maxBytes: 4096,
  });
  assert.deepEqual(parseStoreUrl('etcd://127.0.0.1:2379'), {
    engine: 'etcd',
    urls: ['http://127.0.0.1:2379'],
    root: 'vivarium/',
    tlsFiles: {},
    maintain: true,
  });
  assert.deepEqual(
    parseStoreUrl('etcd://viv:p%40ss:word@a.example:2379,[::1]:2380/lab/one/?ca=/ca.pem&timeoutMs=900&maintain=false'),
    {
      engine: 'etcd',
      urls: ['https://a.example:2379', 'https://[::1]:2380'],
      root: 'lab/one/',
      tlsFiles: { ca: '/ca.pem' },
      user: 'viv',
      password: 'p@ss:word',
      timeoutMs: 900,
      maintain: false,
    },
  );
});

void test('another machine is spoken to by TLS, unless told otherwise', () => {
  assert.throws(() => parseStoreUrl('etcd://10.0.0.1:2379'), /another machine/);
  const secure = parseStoreUrl('etcd://10.0.0.1:2379?tls=true');
  const open = parseStoreUrl('etcd://10.0.0.1:2379?insecure=true');
  assert.ok(secure.engine === 'etcd' && open.engine === 'etcd');
  assert.deepEqual([...secure.urls, ...open.urls], ['https://10.0.0.1:2379', 'http://10.0.0.1:2379']);
});

void test('what is no address is refused, and no password shows', () => {
  for (const text of [
    '',
    'mysql://x',
    'memory:///x',
    'memory:?size=3',
    'sqlite://host/x',
    'sqlite:///',
    'sqlite:x',
    'sqlite:///x?maxBytes=-1',
    'etcd://',
    'etcd://localhost',
    'etcd://localhost:2379?certs=x',
    'etcd://localhost:2379?cert=x',
    'etcd://localhost:2379,',
  ]) {
    assert.throws(() => parseStoreUrl(text), StoreError, text);
  }
  assert.throws(
    () => parseStoreUrl('etcdd://user:secret@host:1'),
    (error: Error) => !error.message.includes('secret'),
  );
});
