import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { VimClient } from './client.ts';
import { type FakeEndpoint, fakeEndpoint, pem } from './testing/fake-endpoint.ts';
import { type Trust, UntrustedPeer } from './trust.ts';

async function ask(context: TestContext, endpoint: FakeEndpoint, trust: Trust): Promise<void> {
  const client = new VimClient({ url: endpoint.url, trust });
  context.after(() => client.close());
  await client.content();
}

async function refused(context: TestContext, endpoint: FakeEndpoint, trust: Trust): Promise<UntrustedPeer> {
  const error = await ask(context, endpoint, trust).then(
    () => assert.fail('the endpoint was trusted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UntrustedPeer, String(error));
  assert.equal(endpoint.requests.length, 0, 'something was sent to it');
  return error;
}

void test('a pinned certificate is trusted, whatever it says, and no other', async (context) => {
  const endpoint = await fakeEndpoint(context, 'signed');
  await refused(context, endpoint, { certificate: pem('self') });
  await ask(context, endpoint, { certificate: pem('signed') });
  await ask(context, endpoint, { certificate: pem('authority') });
});

void test('an authority is trusted for the names in the certificates that it signed', async (context) => {
  const endpoint = await fakeEndpoint(context, 'signed');
  const authority = pem('authority');
  await refused(context, endpoint, { authority: pem('self') });
  await refused(context, endpoint, { authority, name: 'esx2.example' });
  await ask(context, endpoint, { authority, name: 'esx1.example' });
  await ask(context, endpoint, { authority });
});

void test('a thumbprint is SHA-1 or SHA-256; a wrong one tells the right one, as SSLVerifyFault does', async (context) => {
  const endpoint = await fakeEndpoint(context);
  const shown = new X509Certificate(pem('self'));
  const error = await refused(context, endpoint, { thumbprint: new X509Certificate(pem('signed')).fingerprint });
  assert.equal(error.thumbprint, shown.fingerprint);
  assert.equal(error.thumbprint256, shown.fingerprint256);
  const { fault } = error.toFault();
  assert.deepEqual([fault.selfSigned, fault.thumbprint], [true, shown.fingerprint]);
  assert.equal(new X509Certificate(String(fault.certificate)).fingerprint256, shown.fingerprint256);
  await refused(context, endpoint, { thumbprint: '' });
  await ask(context, endpoint, { thumbprint: error.thumbprint });
  await ask(context, endpoint, { thumbprint: error.thumbprint256.toLowerCase().replaceAll(':', '') });
});

void test('a certificate of its own is shown to the endpoint when there is one', async (context) => {
  const endpoint = await fakeEndpoint(context);
  endpoint.answers['LoginExtensionByCertificate'] = (request) => request.enter('s1');
  const trust = { certificate: pem('self') };
  const identity = { certificate: pem('client'), privateKey: pem('client') };
  const client = new VimClient({ url: endpoint.url, trust, identity });
  context.after(() => client.close());
  await client.loginByCertificate();
  assert.equal(client.session, 's1');
  await ask(context, endpoint, trust);
  assert.deepEqual(
    endpoint.requests.map(({ clientName }) => clientName),
    ['vpxd', 'vpxd', undefined],
  );
  assert.deepEqual(endpoint.requests[1]?.body, { extensionKey: 'com.vmware.vim' });
});
