import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@vivarium/base/node';
import { ensureCertificates } from './certificate-authority.ts';

void test('one authority signs what clients and what hosts are shown; all are made once and kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'viv-ca-'));
  try {
    const made = await ensureCertificates(folder, systemClock);
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
    assert.deepEqual(await ensureCertificates(folder, systemClock), made);
    for (const key of ['root', 'server', 'client'])
      assert.equal(statSync(join(folder, `${key}.key`)).mode & 0o777, 0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

void test('what is about to end is made anew, under the same authority', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'viv-ca-'));
  try {
    const made = await ensureCertificates(folder, systemClock);
    const later = { ...systemClock, now: () => systemClock.now() + 715 * 24 * 3600 * 1000 };
    const renewed = await ensureCertificates(folder, later);
    assert.equal(renewed.authority, made.authority);
    assert.notEqual(renewed.client.certificate, made.client.certificate);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
