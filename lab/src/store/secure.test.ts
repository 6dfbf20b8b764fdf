// An etcd that wants a certificate and a password of its clients.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore, StoreError, StoreUnavailable } from '@vivarium/store';
import { waitFor } from '../testing/wait-for.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { needsEtcd } from './use-etcd.ts';

/** A CA, and a certificate of it for loopback, as server and as client. */
function makeCertificates(folder: string): Tls {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(...newKey, '-x509', '-days', '2', '-subj', '/CN=test CA', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  openssl(...newKey, '-subj', '/CN=etcd', '-keyout', at('key.pem'), '-out', at('request.pem'));
  execFileSync('sh', [
    '-c',
    `printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth\\n' > ${at('ext')}`,
  ]);
  const signed = ['x509', '-req', '-days', '2', '-in', at('request.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key')];
  openssl(...signed, '-CAcreateserial', '-extfile', at('ext'), '-out', at('cert.pem'));
  return { ca: at('ca.pem'), certificate: at('cert.pem'), key: at('key.pem') };
}

interface Tls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** A user who may read and write what begins with the prefix, and nothing else; by etcd's JSON gateway. */
async function enableAuthentication(
  url: string,
  tls: Tls,
  name: string,
  password: string,
  prefix: string,
): Promise<void> {
  const [ca, cert, key] = await Promise.all([readFile(tls.ca), readFile(tls.certificate), readFile(tls.key)]);
  const post = (path: string, body: object) =>
    new Promise<void>((resolve, reject) => {
      const call = request(`${url}/v3/auth/${path}`, { method: 'POST', ca, cert, key }, (answer) => {
        answer.resume();
        answer.on('end', () =>
          answer.statusCode === 200 ? resolve() : reject(new Error(`${path}: ${answer.statusCode}`)),
        );
      });
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const range = { key: base64(prefix), range_end: base64(`${prefix.slice(0, -1)}0`) };
  await post('user/add', { name: 'root', password: 'of the root' });
  await post('role/add', { name: 'root' });
  await post('user/grant', { user: 'root', role: 'root' });
  await post('user/add', { name, password });
  await post('role/add', { name });
  await post('role/grant', { name, perm: { permType: 'READWRITE', ...range } });
  await post('user/grant', { user: name, role: name });
  await post('enable', {});
}

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const skip = needsEtcd.skip || (hasOpenssl ? false : 'not run: openssl is not here to make certificates');

void test('a cluster with TLS, client certificates and passwords', { skip, timeout: 120_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'viv-tls-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const tls = makeCertificates(folder);
  // With a certificate etcd takes its name for the user's: clients here prove who they are by password.
  const cluster = stack.use(await EtcdCluster.start({ size: 1, tls }));
  const files = `ca=${tls.ca}&cert=${tls.certificate}&key=${tls.key}`;
  const address = cluster.url.slice('etcd://'.length);

  const first = await waitFor('etcd is up', () => openStore(`etcd://${address}/lab?${files}`).catch(() => undefined));
  await first.batch([{ put: 'a', value: 1 }]);
  await first.close();
  await assert.rejects(openStore(`etcd://${address}/lab?timeoutMs=1000`), StoreUnavailable);
  await assert.rejects(openStore(`etcd://${address}/lab?ca=${tls.ca}&timeoutMs=1000`), StoreUnavailable);
  await assert.rejects(openStore(`etcd://${address}/lab?tls=true&timeoutMs=1000`), StoreUnavailable);
  await assert.rejects(openStore(`etcd://${address}/lab?ca=${folder}/none.pem`), StoreError);

  await enableAuthentication(`https://${address}`, tls, 'viv', 'a p@ss', 'lab/');
  await writeFile(join(folder, 'password'), 'a p@ss\n');
  await assert.rejects(openStore(`etcd://viv:wrong@${address}/lab?${files}`), StoreError);
  const store = await openStore(`etcd://viv@${address}/lab?${files}&passwordFile=${folder}/password`);
  stack.defer(() => store.close());
  assert.equal(store.get('a')?.value, 1);
  await store.batch([{ put: 'a', value: 2 }]);
  const lease = await store.lock('leader');
  // A member that starts anew knows no token of before: the store logs in again.
  await cluster.killMember(0);
  await cluster.startMember(0);
  await store.batch([{ put: 'a', value: 4 }]);
  await waitFor('the lease is renewed', async () => lease.isHeld);
  await store.guard(lease).batch([{ put: 'a', value: 3 }]);
  await waitFor('reads are fresh', async () => !store.isStale);
  assert.equal(store.get('a')?.value, 3);
});
