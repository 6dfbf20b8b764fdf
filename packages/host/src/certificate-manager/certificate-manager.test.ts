import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { silentLogger } from '@vivarium/base';
import { systemRandom } from '@vivarium/base/node';
import { openSqliteStore } from '@vivarium/store';
import {
  encodeSoapRequest,
  type HostCertificateManagerCertificateInfo,
  type MoRef,
  moRef,
  type Permission,
  schema,
  type UserSession,
} from '@vivarium/vim';
import { type Call, Service } from '@vivarium/vmomi';
import { fastify } from 'fastify';
import { aboutHost } from '../about.ts';
import { buildTree } from '../inventory/build-tree.ts';
import { refs } from '../inventory/refs.ts';
import { fault } from '../testing/faults.ts';
import { type Issued, testAuthority } from '../testing/test-authority.ts';
import { turns, VirtualClock } from '../testing/virtual-clock.ts';
import { HostCertificates } from '../tls/host-certificates.ts';
import { followCertificates, httpsOptions } from '../tls/https-options.ts';
import { ensureVcenterAccount, vcenterLogin } from '../tls/vcenter-login.ts';
import { addCertificateManager, CERTIFICATE_MANAGER } from './certificate-manager.ts';
import { certificateStatus } from './certificate-status.ts';

const SESSIONS = moRef('SessionManager', 'ha-sessionmgr');
const CLIENT_AUTH = ['1.3.6.1.5.5.7.3.2'];

async function world(context: TestContext, directory?: string) {
  const place = directory ?? (await mkdtemp(join(tmpdir(), 'viv-cert-')));
  const store = openSqliteStore(join(place, 'hostd.db'));
  const clock = new VirtualClock();
  const certificates = await HostCertificates.open({ directory: place, store, clock, random: systemRandom });
  const service = new Service({
    clock,
    random: systemRandom,
    log: silentLogger,
    store,
    about: aboutHost('1'),
    instance: 'HostAgent',
    rootFolder: refs.rootFolder,
    certificateLogin: vcenterLogin({ certificates, clock, log: silentLogger }),
  });
  buildTree(service.graph, {});
  await service.authorization.ensureAdmin('root');
  await ensureVcenterAccount(service);
  addCertificateManager({ service, certificates, name: 'esx1', address: () => '192.0.2.1' });
  const app = fastify({ https: httpsOptions(certificates), forceCloseConnections: true });
  const stop = followCertificates(app.server, certificates);
  service.register(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const end = async () => {
    stop();
    await app.close();
    await service.close();
    await store.close();
  };
  let hasEnded = false;
  const endOnce = async () => {
    if (!hasEnded) await end();
    hasEnded = true;
  };
  context.after(async () => {
    await endOnce();
    if (!directory) await rm(place, { recursive: true });
  });
  const session = service.sessions.open(
    { userName: 'root', fullName: 'root', groups: [] },
    { ipAddress: '127.0.0.1', userAgent: 'test', locale: 'en' },
  );
  const call: Call = {
    session,
    version: schema.versions[0] ?? schema.legacyVersion,
    signal: new AbortController().signal,
    service,
    remoteAddress: '127.0.0.1',
  };
  const invoke = async <R = unknown>(method: string, args: object = {}, ref: MoRef = CERTIFICATE_MANAGER) =>
    (await service.invoke({ this: ref, method, args: { ...args } }, call)) as R;
  const trust = (caCert: readonly string[], caCrl: readonly string[] = []) =>
    invoke('ReplaceCACertificatesAndCRLs', { caCert, caCrl });
  /** A login by certificate, over a connection of its own; time passes while a refusal waits. */
  const login = async (identity?: Issued, extensionKey = 'com.vmware.vim') => {
    const path = '/sdk/vim25/9.0.0.0/SessionManager/ha-sessionmgr/LoginExtensionByCertificate';
    return passing(clock, post(port, path, JSON.stringify({ extensionKey }), {}, identity));
  };
  return { place, clock, certificates, service, port, invoke, trust, login, end: endOnce };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

function post(
  port: number,
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string>,
  identity?: Issued,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method: 'POST', headers, agent: false, rejectUnauthorized: false };
    const outgoing = request(
      { ...options, ...(identity ? { cert: identity.certificate, key: identity.privateKey } : {}) },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }));
      },
    );
    outgoing.on('error', reject).end(body);
  });
}

async function passing<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => (isSettled = true);
  work.then(settle, settle);
  while (!isSettled) {
    await turns(1);
    if (clock.timers.some((delayMs) => delayMs <= 1000)) await clock.advance(1000);
  }
  return work;
}

function shownBy(port: number): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      const shown = socket.getPeerX509Certificate();
      socket.destroy();
      if (shown) resolve(shown);
      else reject(new Error('no certificate was shown'));
    });
    socket.on('error', reject);
  });
}

void test('a client with a certificate of a trusted authority is vpxuser, over VI/JSON and over SOAP', async (context) => {
  const { trust, login, service, port, clock, invoke } = await world(context);
  const authority = await testAuthority();
  const vpxd = await authority.issue({ name: 'vpxd', purposes: CLIENT_AUTH });
  await trust([authority.certificate]);
  const entered = await login(vpxd);
  assert.equal(entered.status, 200, entered.text);
  const user = JSON.parse(entered.text) as UserSession;
  assert.deepEqual([user.userName, user.extensionSession], ['vpxuser', true]);
  const session = service.sessions.find(String(entered.headers['vmware-api-session-id']));
  assert.equal(session?.userName, 'vpxuser');
  assert.ok(service.authorization.holds(session, service.graph.get(refs.rootFolder), 'Host.Config.Maintenance'));
  const body = encodeSoapRequest(
    'LoginExtensionByCertificate',
    SESSIONS,
    { extensionKey: 'com.vmware.vim', locale: 'en' },
    '8.0.3.0',
  );
  const headers = { 'content-type': 'text/xml', soapaction: '"urn:vim25/8.0.3.0"' };
  const soap = await passing(clock, post(port, '/sdk', body, headers, vpxd));
  assert.match(soap.text, /<userName>vpxuser<\/userName>/);
  const permissions = await invoke<Permission[]>(
    'RetrieveAllPermissions',
    {},
    moRef('AuthorizationManager', 'ha-authmgr'),
  );
  const own = permissions.find(({ principal }) => principal === 'vpxuser');
  assert.deepEqual([own?.roleId, own?.propagate, own?.entity], [-1, true, refs.rootFolder]);
});

void test('no certificate is NoClientCertificate, a bad one InvalidLogin', async (context) => {
  const { trust, login, clock } = await world(context);
  const [authority, stranger] = await Promise.all([testAuthority(), testAuthority()]);
  const nowMs = clock.now();
  const [good, old, foreign, revoked, server] = await Promise.all([
    authority.issue({ purposes: CLIENT_AUTH, nowMs }),
    authority.issue({ purposes: CLIENT_AUTH, nowMs, fromDays: -9, toDays: -1 }),
    stranger.issue({ purposes: CLIENT_AUTH, nowMs }),
    authority.issue({ purposes: CLIENT_AUTH, nowMs }),
    authority.issue({ purposes: ['1.3.6.1.5.5.7.3.1'], nowMs }),
  ]);
  await trust([authority.certificate], [await authority.revoke(revoked.certificate)]);
  const faultOf = async (identity?: Issued, key?: string) => {
    const { status, text } = await login(identity, key);
    return status === 200 ? 'let in' : (JSON.parse(text) as { _typeName: string })._typeName;
  };
  assert.equal(await faultOf(), 'NoClientCertificate');
  assert.equal(await faultOf(good), 'let in');
  assert.equal(await faultOf(good, 'com.example.plugin'), 'InvalidLogin');
  for (const bad of [old, foreign, revoked, server]) assert.equal(await faultOf(bad), 'InvalidLogin');
});

void test('an authority that is taken away lets nobody in any more; its failures are forgiven when it comes back', async (context) => {
  const { trust, login } = await world(context);
  const authority = await testAuthority();
  const vpxd = await authority.issue({ purposes: CLIENT_AUTH });
  await trust([authority.certificate]);
  assert.equal((await login(vpxd)).status, 200);
  await trust([]);
  for (let attempt = 0; attempt < 6; attempt++) assert.equal((await login(vpxd)).status, 500);
  await trust([authority.certificate]);
  assert.equal((await login(vpxd)).status, 200);
});

void test('a certificate that fails five times is locked out, and nobody else is', async (context) => {
  const { trust, login, clock, service } = await world(context);
  const authority = await testAuthority();
  const [vpxd, other] = await Promise.all([authority.issue({}), authority.issue({})]);
  await trust([authority.certificate]);
  for (let attempt = 0; attempt < 5; attempt++) await login(vpxd, 'com.example.plugin');
  assert.equal((service.events.latest as { eventTypeId?: string }).eventTypeId, 'esx.audit.account.locked');
  assert.equal((await login(vpxd)).status, 500);
  assert.equal((await login(other)).status, 200);
  await clock.advance(901_000);
  assert.equal((await login(vpxd)).status, 200);
});

void test('vpxuser has no password, cannot get one, and is not the last administrator', async (context) => {
  const { service, invoke, clock } = await world(context);
  const accounts = moRef('HostLocalAccountManager', 'ha-localacctmgr');
  const origin = { ipAddress: '127.0.0.1', userAgent: 'test', locale: 'en' };
  for (const password of ['', '!', 'vpxuser'])
    await assert.rejects(passing(clock, service.sessions.login('vpxuser', password, origin)), fault('InvalidLogin'));
  const user = { id: 'vpxuser', password: 'mine' };
  await assert.rejects(invoke('UpdateUser', { user }, accounts), fault('SecurityError'));
  await assert.rejects(invoke('RemoveUser', { userName: 'vpxuser' }, accounts), fault('SecurityError'));
  await assert.rejects(invoke('CreateUser', { user }, accounts), fault('AlreadyExists'));
  const revoke = { entity: refs.rootFolder, user: 'root', isGroup: false };
  const manager = moRef('AuthorizationManager', 'ha-authmgr');
  await assert.rejects(invoke('RemoveEntityPermission', revoke, manager), fault('AuthMinimumAdminPermission'));
});

void test('a signed certificate is shown to new connections at once, and after a restart', async (context) => {
  const first = await world(context);
  const authority = await testAuthority();
  const before = await shownBy(first.port);
  const csr = await first.invoke<string>('GenerateCertificateSigningRequest', { useIpAddressAsCommonName: false });
  const signed = await authority.sign(csr);
  await first.invoke('InstallServerCertificate', { cert: signed });
  const shown = await shownBy(first.port);
  assert.notEqual(shown.fingerprint256, before.fingerprint256);
  assert.match(shown.subject, /CN=esx1/);
  assert.equal(shown.checkHost('localhost'), 'localhost');
  assert.ok(shown.verify(new X509Certificate(authority.certificate).publicKey));
  await first.trust([authority.certificate], [await authority.revoke()]);
  await first.end();
  const second = await world(context, first.place);
  assert.equal((await shownBy(second.port)).fingerprint256, shown.fingerprint256);
  assert.deepEqual((await second.invoke<string[]>('ListCACertificates')).length, 1);
  assert.deepEqual((await second.invoke<string[]>('ListCACertificateRevocationLists')).length, 1);
  assert.deepEqual((await readdir(first.place)).filter((name) => name.startsWith('rui')).sort(), [
    'rui.crt',
    'rui.key',
  ]);
});

void test('signing requests name the host, its address or what is asked for', async (context) => {
  const { invoke } = await world(context);
  const authority = await testAuthority();
  const subjectOf = async (method: string, args: object) =>
    new X509Certificate(await authority.sign(await invoke<string>(method, args))).subject;
  assert.match(
    await subjectOf('GenerateCertificateSigningRequest', { useIpAddressAsCommonName: true }),
    /CN=192\.0\.2\.1/,
  );
  const distinguishedName = 'CN=esx1.example, OU=Lab, O="Example, Inc."';
  assert.match(await subjectOf('GenerateCertificateSigningRequestByDn', { distinguishedName }), /O=Example\\?, Inc\./);
  const bad = { distinguishedName: 'not a name' };
  await assert.rejects(invoke('GenerateCertificateSigningRequestByDn', bad), fault('PlatformConfigFault'));
  const args = { useIpAddressAsCommonName: true, spec: { kind: 'VASAClient' } };
  await assert.rejects(invoke('GenerateCertificateSigningRequest', args), fault('NotSupported'));
});

void test('what is no certificate of the host, or of an authority, changes nothing', async (context) => {
  const { invoke, trust, certificates, port } = await world(context);
  const [authority, stranger] = await Promise.all([testAuthority(), testAuthority('Stranger')]);
  await trust([authority.certificate]);
  const { fingerprint256 } = await shownBy(port);
  const { certificate: foreign } = await authority.issue({});
  for (const cert of ['', 'no certificate', foreign])
    await assert.rejects(invoke('InstallServerCertificate', { cert }), fault('PlatformConfigFault'));
  const bad: [string[], string[]][] = [
    [['no certificate'], []],
    [[foreign], []],
    [[authority.certificate], ['no list']],
    [[authority.certificate], [await stranger.revoke()]],
  ];
  for (const [caCert, caCrl] of bad) await assert.rejects(trust(caCert, caCrl), fault('PlatformConfigFault'));
  assert.equal((await shownBy(port)).fingerprint256, fingerprint256);
  assert.equal(certificates.authorities.certificates.length, 1);
});

void test('the manager tells of the certificate', async (context) => {
  const { invoke, certificates } = await world(context);
  const [info] = await invoke<HostCertificateManagerCertificateInfo[]>('RetrieveCertificateInfoList');
  const { validToDate } = new X509Certificate(certificates.identity.certificate);
  assert.equal(info?.notAfter, validToDate.toISOString());
  assert.equal(info.status, 'good');
  assert.equal(info.issuer, info.subject);
  const fetched = await invoke<object>('Fetch', { prop: 'certificateInfo' });
  assert.deepEqual(fetched, info);
});

void test('a certificate is good for more than eight months, and so on', () => {
  const status = (days: number) => certificateStatus(days * 24 * 3600 * 1000, 0);
  assert.deepEqual([241, 240, 60, 30, 0, -1].map(status), [
    'good',
    'expiring',
    'expiringShortly',
    'expirationImminent',
    'expired',
    'expired',
  ]);
});
