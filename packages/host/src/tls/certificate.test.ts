import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { ensureTlsIdentity } from './certificate.ts';

void test('the identity is made once, is private, and names this machine', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'viv-tls-'));
  try {
    const made = await ensureTlsIdentity(directory, systemClock, systemRandom);
    const certificate = new X509Certificate(made.certificate);
    assert.equal(certificate.checkHost('localhost'), 'localhost');
    assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
    assert.match(made.thumbprint, /^([0-9A-F]{2}:){19}[0-9A-F]{2}$/);
    assert.equal((await stat(join(directory, 'rui.key'))).mode & 0o777, 0o600);
    assert.deepEqual(await ensureTlsIdentity(directory, systemClock, systemRandom), made);
  } finally {
    await rm(directory, { recursive: true });
  }
});

void test('an identity that has run out is replaced', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'viv-tls-'));
  try {
    const first = await ensureTlsIdentity(directory, systemClock, systemRandom);
    const later = { ...systemClock, now: () => systemClock.now() + 4000 * 24 * 3600 * 1000 };
    assert.notEqual((await ensureTlsIdentity(directory, later, systemRandom)).thumbprint, first.thumbprint);
  } finally {
    await rm(directory, { recursive: true });
  }
});
