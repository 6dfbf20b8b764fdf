import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { testServer } from '../testing/test-server.ts';
import { decompress } from './gzip.ts';

void test('replies are compressed for clients that accept gzip', async (context) => {
  const { send } = await testServer(context);
  const encodingFor = async (accepted: string | undefined) => {
    const headers: Record<string, string> = accepted === undefined ? {} : { 'accept-encoding': accepted };
    const { headers: answered, body } = await send('GET', '/sdk/vim-types.xsd', { headers });
    assert.equal(Number(answered['content-length']), body.length);
    assert.equal(answered['vary'], 'accept-encoding');
    return answered['content-encoding'];
  };
  assert.equal(await encodingFor('gzip, deflate'), 'gzip');
  assert.equal(await encodingFor('deflate;q=1, gzip;q=0.5'), 'gzip');
  assert.equal(await encodingFor('*'), 'gzip');
  for (const refused of [undefined, 'identity', 'deflate', 'gzip;q=0', 'gzip;q=0.0, br'])
    assert.equal(await encodingFor(refused), undefined, refused);
});

void test('large replies arrive whole', async (context) => {
  const { send } = await testServer(context);
  const plain = await send('GET', '/sdk/vim-types.xsd');
  const packed = await send('GET', '/sdk/vim-types.xsd', { headers: { 'accept-encoding': 'gzip' } });
  assert.ok(plain.body.length > 500_000);
  assert.deepEqual(gunzipSync(packed.body), plain.body);
});

void test('request bodies are taken as their encoding says, and refused by status', async () => {
  const status = (code: number) => (error: unknown) => (error as { statusCode?: number }).statusCode === code;
  const text = Buffer.from('hello');
  assert.deepEqual(await decompress(text, undefined, 10), text);
  assert.deepEqual(await decompress(gzipSync(text), 'gzip', 10), text);
  await assert.rejects(decompress(gzipSync('x'.repeat(11)), 'gzip', 10), status(413));
  await assert.rejects(decompress(text, 'gzip', 10), status(400));
  await assert.rejects(decompress(text, 'br', 10), status(415));
});
