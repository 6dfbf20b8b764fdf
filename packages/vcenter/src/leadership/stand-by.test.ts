import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@vivarium/base/node';
import { openMemoryStore } from '@vivarium/store';
import { ensureAuthority, ensureCertificates } from '../certificates/certificate-authority.ts';
import { openStandBy } from './stand-by.ts';
import { unavailable } from './unavailable.ts';

void test('whatever is asked, the answer is 503 in the form of its door', () => {
  const plain = unavailable('/sdk', 'another leads.');
  assert.deepEqual([plain.status, plain.body], [503, '503 Service Unavailable: another leads.\n']);
  const rest = JSON.parse(unavailable('/rest/com/vmware/cis/session', 'another leads.').body) as { type: string };
  assert.equal(rest.type, 'com.vmware.vapi.std.errors.service_unavailable');
  const api = JSON.parse(unavailable('/api', 'another leads.').body) as { messages: { default_message: string }[] };
  assert.equal(api.messages[0]?.default_message, 'another leads.');
});

void test('one that stands by answers under its own certificate, and frees its port', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'viv-standby-'));
  try {
    const authority = await ensureAuthority(openMemoryStore(), folder, systemClock);
    const certificates = await ensureCertificates(folder, authority, systemClock);
    const tls = { ...certificates.server, authority: certificates.authority };
    const listen = { address: '127.0.0.1', port: 0 };
    const standBy = await openStandBy({ listen, tls, why: () => 'another leads.' });
    const ask = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const call = get({ ...listen, port: standBy.port, path: '/about', ca: authority.certificate }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        call.on('error', reject);
      });
    assert.equal(await ask(), 503);
    await standBy.close();
    await assert.rejects(ask(), { code: 'ECONNREFUSED' });
    const again = await openStandBy({ listen: { ...listen, port: standBy.port }, tls, why: () => 'another leads.' });
    await again.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
