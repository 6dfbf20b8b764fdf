import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock } from '@vivarium/base';
import { systemClock } from '@vivarium/base/node';
import { openMemoryStore, type Store } from '@vivarium/store';
import { AUTHORITY, ensureAuthority, ensureCertificates, findServerCertificate } from './certificate-authority.ts';

function newFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'viv-ca-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

async function ensure(store: Store, folder: string, clock: Clock = systemClock) {
  return ensureCertificates(folder, await ensureAuthority(store, folder, clock), clock);
}

void test('one authority signs what clients and what hosts are shown; all are made once and kept', async () => {
  using folder = newFolder();
  const store = openMemoryStore();
  const made = await ensure(store, folder.path);
  const authority = new X509Certificate(made.authority);
  assert.ok(authority.ca);
  const server = new X509Certificate(made.server.certificate);
  const client = new X509Certificate(made.client.certificate);
  for (const leaf of [server, client]) {
    assert.ok(leaf.verify(authority.publicKey));
    assert.ok(leaf.checkIssued(authority));
    assert.equal(leaf.ca, false);
  }
  assert.equal(server.checkIP('127.0.0.1'), '127.0.0.1');
  assert.match(client.subject, /CN=vpxd-extension/);
  assert.deepEqual(await ensure(store, folder.path), made);
  for (const key of ['server', 'client']) assert.equal(statSync(join(folder.path, `${key}.key`)).mode & 0o777, 0o600);
  assert.equal(existsSync(join(folder.path, 'root.key')), false);
});

void test('what is about to end is made anew, under the same authority', async () => {
  using folder = newFolder();
  const store = openMemoryStore();
  const made = await ensure(store, folder.path);
  const later = { ...systemClock, now: () => systemClock.now() + 715 * 24 * 3600 * 1000 };
  const renewed = await ensure(store, folder.path, later);
  assert.equal(renewed.authority, made.authority);
  assert.notEqual(renewed.client.certificate, made.client.certificate);
});

void test('another machine with the same store has the same authority, and certificates of its own', async () => {
  using first = newFolder();
  using second = newFolder();
  const store = openMemoryStore();
  const [one, other] = [await ensure(store, first.path), await ensure(store, second.path)];
  assert.equal(other.authority, one.authority);
  assert.notEqual(other.server.privateKey, one.server.privateKey);
  assert.ok(new X509Certificate(other.client.certificate).verify(new X509Certificate(one.authority).publicKey));
});

void test('an authority that an earlier version kept in the folder moves into the store', async () => {
  using folder = newFolder();
  const before = openMemoryStore();
  const made = await ensure(before, folder.path);
  const key = before.get<{ privateKey: string }>(AUTHORITY)?.value.privateKey ?? '';
  writeFileSync(join(folder.path, 'root.key'), key, { mode: 0o600 });
  const store = openMemoryStore();
  assert.deepEqual(await ensure(store, folder.path), made);
  assert.equal(store.get<{ privateKey: string }>(AUTHORITY)?.value.privateKey, key);
  assert.equal(existsSync(join(folder.path, 'root.key')), false);
});

void test('what was shown to clients is found without the store', async () => {
  using folder = newFolder();
  assert.equal(await findServerCertificate(folder.path, systemClock), undefined);
  const made = await ensure(openMemoryStore(), folder.path);
  assert.deepEqual(await findServerCertificate(folder.path, systemClock), {
    ...made.server,
    authority: made.authority,
  });
});

void test('certificates made by a clock that is an hour off are good for those whose clock is right', async () => {
  using folder = newFolder();
  for (const offMs of [3_600_000, -3_600_000]) {
    const made = await ensure(openMemoryStore(), folder.path, { ...systemClock, now: () => systemClock.now() + offMs });
    for (const pem of [made.authority, made.server.certificate, made.client.certificate]) {
      const { validFromDate, validToDate } = new X509Certificate(pem);
      assert.ok(validFromDate.getTime() < systemClock.now() && systemClock.now() < validToDate.getTime());
    }
  }
});
