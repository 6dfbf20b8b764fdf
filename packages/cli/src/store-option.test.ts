import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parseStoreUrl } from '@vivarium/store';
import { planLayout } from './layout.ts';
import { UserError } from './state.ts';
import { parseStoreOption } from './store-option.ts';

void test('files are those of the folder in which it was typed', () => {
  const url = parseStoreOption('etcd://viv@10.0.0.1:2379/lab?ca=a%20b.pem&passwordFile=/etc/viv&timeoutMs=2000');
  assert.equal(
    url,
    `etcd://viv@10.0.0.1:2379/lab?ca=${resolve('a b.pem').replaceAll(' ', '%20')}&passwordFile=/etc/viv&timeoutMs=2000`,
  );
  const address = parseStoreUrl(url);
  assert.ok(address.engine === 'etcd' && address.tlsFiles.ca === resolve('a b.pem'));
});

void test('a mistake is one sentence with its mend, and tells no password', () => {
  for (const [text, says] of [
    ['postgres://db', /not the address of a store/],
    ['etcd://10.0.0.1', /not host:port/],
    ['etcd://10.0.0.1:2379', /another machine/],
    ['etcd://viv:secret@10.0.0.1:2379?tls=true', /seen by every user/],
    ['etcd://127.0.0.1:2379?cafile=x', /no parameter is named cafile/],
    ['memory:', /gone when it stops/],
  ] as const) {
    assert.throws(
      () => parseStoreOption(text),
      (error: unknown) => error instanceof UserError && says.test(error.message) && !error.message.includes('secret'),
      text,
    );
  }
});

void test('a vCenter keeps the store that it was brought up with', () => {
  const wish = { hosts: undefined, port: 8443, store: undefined, hasRun: true, address: undefined };
  const store = 'etcd://127.0.0.1:2379';
  const first = planLayout(undefined, { ...wish, hosts: 0, store, hasRun: false });
  assert.deepEqual(first, { vcenter: { port: 8443, store }, hosts: [] });
  assert.deepEqual(planLayout(first, wish), first);
  assert.deepEqual(planLayout(first, { ...wish, store }), first);
  const other = 'etcd://127.0.0.1:3379';
  assert.throws(() => planLayout(first, { ...wish, store: other }), UserError);
  assert.equal(planLayout(first, { ...wish, store: other, hasRun: false }).vcenter?.store, other);
  assert.deepEqual(planLayout(first, { ...wish, hosts: 1 }).hosts, [{ name: 'esx1', port: 0 }]);
  assert.throws(() => planLayout(undefined, { ...wish, hosts: 1, store, hasRun: false }), UserError);
});

void test('the address that people type is kept, and can be changed', () => {
  const wish = { hosts: undefined, port: 8443, store: undefined, hasRun: true, address: undefined };
  const first = planLayout(undefined, { ...wish, address: '10.0.0.1', hasRun: false });
  assert.equal(first.address, '10.0.0.1');
  assert.equal(planLayout(first, wish).address, '10.0.0.1');
  assert.equal(planLayout(first, { ...wish, address: '0.0.0.0' }).address, '0.0.0.0');
});

void test('the port is kept, unless another one is asked for', () => {
  const wish = { hosts: undefined, port: undefined, store: undefined, hasRun: true, address: undefined };
  const center = planLayout(undefined, { ...wish, hosts: 0 });
  assert.equal(center.vcenter?.port, 8443);
  for (const port of [undefined, 0]) assert.equal(planLayout(center, { ...wish, port }).vcenter?.port, 8443);
  assert.equal(planLayout(center, { ...wish, port: 9443 }).vcenter?.port, 9443);
  const alone = planLayout(undefined, { ...wish, hosts: 1, port: 7443 });
  assert.deepEqual(planLayout(alone, wish).hosts, [{ name: 'esx1', port: 7443 }]);
  assert.deepEqual(planLayout(alone, { ...wish, port: 9443 }).hosts, [{ name: 'esx1', port: 9443 }]);
  const many = { vcenter: { port: 1 }, hosts: [{ name: 'esx1', port: 2 }] };
  assert.throws(() => planLayout(many, { ...wish, port: 2 }), UserError);
  assert.deepEqual(planLayout(many, { ...wish, port: 3 }), { vcenter: { port: 3 }, hosts: many.hosts });
});
