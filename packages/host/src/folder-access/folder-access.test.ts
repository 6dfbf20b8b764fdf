// The door over real HTTPS.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { registerFolderDoor, type Session } from '@vivarium/vmomi';
import fastify from 'fastify';
import { ensureTlsIdentity } from '../tls/certificate.ts';
import { makeApi, noImages, qemuImg } from '../virtual-disk-manager/fixtures.ts';
import { folderAccess } from './folder-access.ts';

async function makeDoor() {
  const host = await makeApi();
  const identity = await ensureTlsIdentity(join(host.path, 'tls'), systemClock, systemRandom);
  const app = fastify({ https: { key: identity.privateKey, cert: identity.certificate } });
  const source = folderAccess({
    api: host.api,
    authenticate: async ({ headers }) =>
      headers['authorization'] === 'yes' ? ({ isAnonymous: false } as Session) : undefined,
    openFlat: (place) => host.disks.openFlat(place),
    datacenter: 'ha-datacenter',
    random: systemRandom,
    log: silentLogger,
  });
  registerFolderDoor(app, source);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await mkdir(join(host.root, 'vm'));
  await writeFile(join(host.root, 'vm/file.txt'), '0123456789');
  /** `path` goes out as it is: nothing normalizes it. */
  const ask = async (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Buffer | Readable,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> => {
    const options = {
      port,
      host: '127.0.0.1',
      method,
      path,
      rejectUnauthorized: false,
      headers: { authorization: 'yes', ...headers },
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(options, resolve).on('error', reject);
      if (body instanceof Readable) body.pipe(outgoing);
      else outgoing.end(body);
    });
    return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) };
  };
  const url = (path: string, store = 'datastore1') => `/folder/${path}?dcPath=ha-datacenter&dsName=${store}`;
  return {
    host,
    port,
    ask,
    url,
    async [Symbol.asyncDispose]() {
      await app.close();
      await host.disks.exports.close();
      await host[Symbol.asyncDispose]();
    },
  };
}

void test('a file is given whole, in part, or only described', async () => {
  await using door = await makeDoor();
  const whole = await door.ask('GET', door.url('vm/file.txt'));
  assert.equal(whole.status, 200);
  assert.equal(whole.body.toString(), '0123456789');
  assert.equal(whole.headers['content-length'], '10');
  assert.equal(whole.headers['accept-ranges'], 'bytes');
  assert.match(String(whole.headers['content-type']), /^text\/plain/);
  const part = await door.ask('GET', door.url('vm/file.txt'), { range: 'bytes=2-4' });
  assert.deepEqual([part.status, part.body.toString(), part.headers['content-range']], [206, '234', 'bytes 2-4/10']);
  const beyond = await door.ask('GET', door.url('vm/file.txt'), { range: 'bytes=10-' });
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, 'bytes */10']);
  const head = await door.ask('HEAD', door.url('vm/file.txt'));
  assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '10', 0]);
  const again = await door.ask('GET', door.url('vm/file.txt'), { 'if-none-match': String(whole.headers.etag) });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  assert.equal((await door.ask('GET', door.url('vm/none'))).status, 404);
});

void test('whoever may not look learns neither names of datastores nor what is on them', async () => {
  await using door = await makeDoor();
  const status = async (path: string, store?: string) => (await door.ask('GET', door.url(path, store))).status;
  const listing = async () => (await door.ask('GET', '/folder?dcPath=ha-datacenter')).body.toString();
  assert.match(await listing(), /dsName=datastore1"/);
  for (const privilege of ['Datastore.Browse', 'Datastore.FileManagement']) door.host.refused.add(privilege);
  assert.doesNotMatch(await listing(), /datastore1/);
  assert.deepEqual(
    await Promise.all(['vm', 'vm/file.txt', 'none/file.txt'].map((path) => status(path))),
    [403, 403, 403],
  );
  assert.equal(await status('vm', 'none'), 404);
  door.host.refused.add('System.View');
  assert.equal(await status('vm'), 404);
});

void test('a large file arrives unharmed, with known length or in chunks', async () => {
  await using door = await makeDoor();
  const content = randomBytes(9_000_001);
  const sha = createHash('sha256').update(content).digest('hex');
  const known = await door.ask('PUT', door.url('vm/a%20b.iso'), { 'content-length': `${content.length}` }, content);
  assert.equal(known.status, 201);
  const chunked = await door.ask(
    'PUT',
    door.url('vm/chunked.iso'),
    {},
    Readable.from([content.subarray(0, 5), content.subarray(5)]),
  );
  assert.equal(chunked.status, 201);
  for (const name of ['a%20b.iso', 'chunked.iso']) {
    const back = await door.ask('GET', door.url(`vm/${name}`));
    assert.equal(createHash('sha256').update(back.body).digest('hex'), sha, name);
  }
  assert.equal((await door.ask('PUT', door.url('vm/chunked.iso'), {}, Buffer.from('new'))).status, 200);
  assert.equal(
    (await door.ask('PUT', door.url('vm/chunked.iso'), { overwrite: 'f' }, Buffer.from('newer'))).status,
    409,
  );
  assert.equal(await readFile(join(door.host.root, 'vm/chunked.iso'), 'utf8'), 'new');
  assert.equal(
    (await door.ask('POST', door.url('vm/posted'), { 'content-type': 'application/json' }, Buffer.from('{'))).status,
    201,
  );
  assert.equal((await door.ask('PUT', door.url('vm/empty'), { 'content-length': '0' })).status, 201);
  assert.deepEqual((await readdir(join(door.host.root, 'vm'))).sort(), [
    'a b.iso',
    'chunked.iso',
    'empty',
    'file.txt',
    'posted',
  ]);
});

void test('an upload that breaks off leaves nothing', async () => {
  await using door = await makeDoor();
  const outcome = await new Promise((resolve) => {
    const outgoing = request(
      {
        port: door.port,
        host: '127.0.0.1',
        method: 'PUT',
        path: door.url('vm/broken'),
        rejectUnauthorized: false,
        headers: { authorization: 'yes', 'content-length': '1000000' },
      },
      resolve,
    );
    outgoing.on('error', resolve);
    outgoing.write(Buffer.alloc(1000), () => outgoing.destroy(new Error('gone')));
  });
  assert.match(String(outcome), /gone/);
  while ((await readdir(join(door.host.root, 'vm'))).length > 1 || !door.host.touched.includes('datastore1')) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(await readdir(join(door.host.root, 'vm')), ['file.txt']);
});

void test('what cannot be written to is refused with its own status', async () => {
  await using door = await makeDoor();
  const put = async (path: string, body = Buffer.from('x')) => (await door.ask('PUT', door.url(path), {}, body)).status;
  assert.equal(await put('none/file'), 404);
  assert.equal(await put('vm'), 409);
  assert.equal(await put(''), 404);
  assert.equal((await door.ask('PUT', door.url('vm/x', 'other'), {}, Buffer.from('x'))).status, 404);
  assert.equal((await door.ask('PUT', '/folder?dcPath=ha-datacenter', {}, Buffer.from('x'))).status, 409);
  const huge = { 'content-length': `${2 ** 50}` };
  assert.equal(
    (await door.ask('PUT', door.url('vm/huge'), huge, Buffer.from('x')).catch(() => ({ status: 507 }))).status,
    507,
  );
  door.host.inUse.add(join(door.host.root, 'vm/file.txt'));
  assert.equal(await put('vm/file.txt'), 423);
  assert.equal((await door.ask('DELETE', door.url('vm/file.txt'))).status, 423);
  assert.equal((await door.ask('GET', door.url('vm/file.txt'))).status, 200);
  door.host.inUse.add(join(door.host.root, 'vm/a-flat.vmdk'));
  await writeFile(join(door.host.root, 'vm/a-flat.vmdk'), 'x');
  assert.equal((await door.ask('GET', door.url('vm/a-flat.vmdk'))).status, 423);
  assert.deepEqual((await readdir(join(door.host.root, 'vm'))).sort(), ['a-flat.vmdk', 'file.txt']);
});

void test('a large body that is refused does not hang its sender', async () => {
  await using door = await makeDoor();
  const body = Buffer.alloc(8 << 20);
  assert.equal((await door.ask('PUT', door.url('none/file'), {}, body)).status, 404);
  assert.equal((await door.ask('PUT', door.url('vm/x'), { authorization: 'no' }, body)).status, 401);
});

void test('without login nothing, without privilege neither', async () => {
  await using door = await makeDoor();
  const stranger = await door.ask('GET', door.url('vm/file.txt'), { authorization: 'no' });
  assert.equal(stranger.status, 401);
  assert.match(String(stranger.headers['www-authenticate']), /^Basic/);
  door.host.refused.add('Datastore.FileManagement');
  assert.equal((await door.ask('GET', door.url('vm/file.txt'))).status, 403);
  assert.equal((await door.ask('PUT', door.url('vm/x'), {}, Buffer.from('x'))).status, 403);
  assert.equal((await door.ask('DELETE', door.url('vm/file.txt'))).status, 403);
  assert.equal((await door.ask('GET', door.url('vm'))).status, 200);
  door.host.refused.add('Datastore.Browse');
  assert.equal((await door.ask('GET', door.url('vm'))).status, 403);
});

void test('nothing leads out', async () => {
  await using door = await makeDoor();
  await writeFile(join(door.host.path, 'secret'), 'classified');
  await symlink('../../secret', join(door.host.root, 'vm/link'));
  await symlink('../..', join(door.host.root, 'vm/up'));
  execFileSync('mkfifo', [join(door.host.root, 'vm/pipe')]);
  const attacks = [
    '../secret',
    '../../secret',
    '%2e%2e/secret',
    '%2e%2e%2fsecret',
    '..%2fsecret',
    'vm/../../secret',
    'vm/%2e%2e/%2e%2e/secret',
    'vm/..%5c..%5csecret',
    '/etc/passwd',
    '//etc/passwd',
    '%2fetc%2fpasswd',
    'vm/file.txt%00.iso',
    'vm/link',
    'vm/up/secret',
    'vm/up',
    'vm/pipe',
    '.viv-datastore.json',
    'vm/%c0%ae%c0%ae/secret',
    'vm/%',
    '%252e%252e/secret',
  ];
  for (const path of attacks) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, body } = await door.ask(
        method,
        door.url(path),
        {},
        method === 'PUT' ? Buffer.from('evil') : undefined,
      );
      const allowed = method === 'DELETE' && path === 'vm/pipe'; // a name like any other to be removed
      assert.ok(status >= 400 || allowed || isHarmless(path, method), `${method} ${path}: ${status}`);
      assert.ok(!body.includes('classified') && !body.includes('root:'), `${method} ${path}`);
    }
  }
  assert.equal(await readFile(join(door.host.path, 'secret'), 'utf8'), 'classified');
});

// On Linux a backslash and a percent sign are letters of a name: such a file is made in the folder and nowhere else.
function isHarmless(path: string, method: string): boolean {
  return method !== 'GET' && path === 'vm/..%5c..%5csecret';
}

void test('folders are pages', async () => {
  await using door = await makeDoor();
  const top = await door.ask('GET', '/folder');
  assert.ok(top.body.includes('/folder?dcPath=ha-datacenter'));
  const stores = await door.ask('GET', '/folder?dcPath=ha-datacenter');
  assert.ok(stores.body.includes('dsName=datastore1'));
  const root = await door.ask('GET', '/folder?dcPath=ha-datacenter&dsName=datastore1');
  assert.ok(root.body.includes('vm/') && !root.body.includes('.viv-'));
  const folder = await door.ask('GET', door.url('vm/'));
  assert.ok(folder.body.includes('file.txt') && folder.body.includes('>10<'));
  assert.match(String(folder.headers['content-type']), /^text\/html/);
  assert.equal((await door.ask('HEAD', door.url('vm'))).status, 200);
});

void test('deleting', async () => {
  await using door = await makeDoor();
  assert.equal((await door.ask('DELETE', door.url('vm/file.txt'))).status, 204);
  assert.equal((await door.ask('DELETE', door.url('vm/file.txt'))).status, 404);
});

void test('a thin disk is given as the flat file that clients look for', { skip: noImages }, async () => {
  await using door = await makeDoor();
  await door.host.disks.create({
    path: '[datastore1] vm/t.vmdk',
    capacityBytes: 4 << 20,
    provisioning: 'thin',
    adapter: 'lsilogic',
  });
  const content = Buffer.concat([randomBytes(1 << 20), Buffer.alloc(3 << 20)]);
  await writeFile(join(door.host.path, 'raw'), content);
  await qemuImg(
    'convert',
    '-n',
    '-f',
    'raw',
    '-O',
    'qcow2',
    join(door.host.path, 'raw'),
    join(door.host.root, 'vm/t.qcow2'),
  );
  const head = await door.ask('HEAD', door.url('vm/t-flat.vmdk'));
  assert.deepEqual([head.status, head.headers['content-length']], [200, `${4 << 20}`]);
  const part = await door.ask('GET', door.url('vm/t-flat.vmdk'), { range: 'bytes=1000-1999' });
  assert.deepEqual([part.status, part.headers['content-range']], [206, `bytes 1000-1999/${4 << 20}`]);
  assert.ok(part.body.equals(content.subarray(1000, 2000)));
  assert.ok((await door.ask('GET', door.url('vm/t-flat.vmdk'))).body.equals(content));
  assert.ok((await door.ask('GET', door.url('vm'))).body.includes('t-flat.vmdk'));
  door.host.inUse.add(join(door.host.root, 'vm/t.qcow2'));
  assert.equal((await door.ask('GET', door.url('vm/t-flat.vmdk'))).status, 423);
});
