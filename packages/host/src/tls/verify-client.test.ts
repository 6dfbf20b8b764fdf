import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { type Issued, type TestAuthority, testAuthority, type Wish } from '../testing/test-authority.ts';
import { certificateExtensions } from './certificate-extensions.ts';
import { runCertificateTool } from './certificate-tool.ts';
import type { RevocationList } from './revocation-lists.ts';
import { trustedAuthorities } from './trusted-authorities.ts';
import { verifyClient } from './verify-client.ts';
import { x509 } from './x509.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const DAY_MS = 24 * 3600 * 1000;

async function verdict(
  trusted: readonly TestAuthority[],
  shown: readonly Issued[],
  { revoked = [], days = 0 }: { revoked?: readonly string[]; days?: number } = {},
): Promise<string> {
  const certificates = trusted.map(({ certificate }) => certificate);
  const wish = { lists: revoked, authorities: certificates };
  const revocationLists = (await runCertificateTool('revocation-lists', wish)) as RevocationList[];
  const [own, ...others] = shown.map(({ certificate }) => new X509Certificate(certificate));
  assert.ok(own);
  const authorities = trustedAuthorities({ certificates, revocationLists });
  const found = verifyClient([own, ...others], authorities, Date.now() + days * DAY_MS);
  return found.isGood ? 'good' : found.why;
}

void test('what an authority issues for clients is good, as long as it is valid', async () => {
  const authority = await testAuthority();
  const client = await authority.issue({ purposes: [CLIENT_AUTH], toDays: 30 });
  assert.equal(await verdict([authority], [client]), 'good');
  assert.equal(await verdict([authority], [client], { days: 31 }), 'it has expired');
  assert.equal(await verdict([authority], [client], { days: -31 }), 'it is not valid yet');
});

void test('the key usage decides', async () => {
  const authority = await testAuthority();
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const table: readonly (readonly [Wish, string])[] = [
    [{}, 'good'],
    [{ purposes: [SERVER_AUTH, CLIENT_AUTH] }, 'good'],
    [{ purposes: ['2.5.29.37.0'] }, 'good'],
    [{ purposes: [SERVER_AUTH] }, 'it is not for clients'],
    [{ usage: digitalSignature | keyEncipherment }, 'good'],
    [{ usage: keyEncipherment }, 'its key must not sign'],
    [
      { more: [new x509.Extension('2.5.29.30', true, new Uint8Array([0x30, 0]))] },
      'its critical extension 2.5.29.30 is not understood',
    ],
    [{ more: [new x509.Extension('1.2.3.4', false, new Uint8Array([5, 0]))] }, 'good'],
  ];
  for (const [wish, expected] of table)
    assert.equal(await verdict([authority], [await authority.issue(wish)]), expected, JSON.stringify(wish));
});

void test('nobody else signs: not a stranger of the same name, not a client, not the client itself', async () => {
  const [authority, stranger] = await Promise.all([testAuthority(), testAuthority()]);
  const unsigned = 'no trusted authority has signed it';
  assert.equal(await verdict([authority], [await stranger.issue()]), unsigned);
  assert.equal(await verdict([authority], [await stranger.issue(), stranger]), unsigned);
  assert.equal(await verdict([], [await authority.issue()]), unsigned);
  const wouldBe = await authority.below({ isAuthority: false, usage: x509.KeyUsageFlags.digitalSignature });
  assert.notEqual(await verdict([authority], [await wouldBe.issue(), wouldBe]), 'good');
  const noSigner = await authority.below({ usage: x509.KeyUsageFlags.cRLSign });
  assert.notEqual(await verdict([authority], [await noSigner.issue(), noSigner]), 'good');
});

void test('a chain is followed over what the client shows, within what the authorities allow', async () => {
  const root = await testAuthority('Root', { pathLength: 1 });
  const middle = await root.below({ name: 'Middle' });
  const lower = await middle.below({ name: 'Lower' });
  const [client, deeper] = await Promise.all([middle.issue(), lower.issue()]);
  assert.equal(await verdict([root], [client, middle]), 'good');
  assert.equal(await verdict([root], [client, root, middle]), 'good');
  assert.equal(await verdict([middle], [client]), 'good');
  assert.equal(await verdict([root], [client]), 'no trusted authority has signed it');
  assert.equal(await verdict([root], [deeper, lower, middle]), 'its chain is longer than an authority allows');
  const old = await root.below({ name: 'Old', toDays: 1 });
  assert.equal(await verdict([root], [await old.issue(), old], { days: 2 }), 'the authority: it has expired');
});

void test('what is revoked is refused, at every level of the chain', async () => {
  const root = await testAuthority('Root');
  const middle = await root.below({ name: 'Middle' });
  const [good, bad] = await Promise.all([middle.issue(), middle.issue()]);
  const byMiddle = [await middle.revoke(bad.certificate)];
  assert.equal(await verdict([root, middle], [bad], { revoked: byMiddle }), 'it has been revoked');
  assert.equal(await verdict([root, middle], [good], { revoked: byMiddle }), 'good');
  assert.equal(
    await verdict([root], [good, middle], { revoked: [await root.revoke(middle.certificate)] }),
    'it has been revoked',
  );
  // Another authority's list does not count, whatever it says.
  const stranger = await testAuthority('Stranger');
  const foreign = [await stranger.revoke(good.certificate)];
  assert.equal(await verdict([root, middle, stranger], [good], { revoked: foreign }), 'good');
});

void test('extensions are read from the certificate', async () => {
  const authority = await testAuthority('Root', { pathLength: 3 });
  const read = certificateExtensions(new X509Certificate(authority.certificate));
  assert.deepEqual([...(read.keyUsage ?? [])], ['keyCertSign', 'cRLSign']);
  assert.equal(read.pathLength, 3);
  assert.deepEqual(read.critical, ['2.5.29.19', '2.5.29.15']);
  for (let length = 0; length < 40; length++)
    assert.throws(() =>
      certificateExtensions({ raw: new X509Certificate(authority.certificate).raw.subarray(0, length) }),
    );
});
