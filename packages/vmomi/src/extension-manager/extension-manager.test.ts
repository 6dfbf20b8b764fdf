import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { type Extension, make, moRef, type UserSession } from '@vivarium/vim';
import { turn } from '../testing/test-clock.ts';
import { fault, testService } from '../testing/test-service.ts';

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBnjCCAUSgAwIBAgITJqpwoP2d/D7RWynwPHj743NtSzAKBggqhkjOPQQDAjAk
MRAwDgYDVQQKDAdFeGFtcGxlMRAwDgYDVQQDDAdleGFtcGxlMCAXDTI2MTEyOTEw
MTExMloYDzIxMjYxMTA1MTAxMTEyWjAkMRAwDgYDVQQKDAdFeGFtcGxlMRAwDgYD
VQQDDAdleGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdVXvTJKVry3D
2ZrJZhretoCckoQjAYKa3k/qs4W1V7yINO0fHwKfZuEy52FT68k0Aw79ZWPw6I9f
u3whgNqeU6NTMFEwHQYDVR0OBBYEFGO9REm2EaQ0B4OS+1VQd4RStx96MB8GA1Ud
IwQYMBaAFGO9REm2EaQ0B4OS+1VQd4RStx96MA8GA1UdEwEB/wQFMAMBAf8wCgYI
KoZIzj0EAwIDSAAwRQIgPNtfVW6eL5BgpanUFNSJlhx2/mtwLsO8HVH2C7cyrnQC
IQCoIZDe6HYjVnwp32sk4mIDhZRBZ16Tb1qSYLMfEqeZPQ==
-----END CERTIFICATE-----`;

const extension = (key: string, version = '1.0') =>
  make('Extension', {
    key,
    version,
    description: make('Description', { label: key, summary: `What ${key} does` }),
    lastHeartbeatTime: '2026-01-01T00:00:00Z',
  });

const GROUP = 'extensions';
const KEY = 'com.example';

async function world(context: Parameters<typeof testService>[0], directory?: string) {
  const test = await testService(context, {
    instance: 'VirtualCenter',
    extensionGroups: [GROUP],
    ...(directory ? { directory } : {}),
  });
  const manager = test.service.content.extensionManager;
  assert.ok(manager);
  const invoke = <R>(method: string, args: object) => test.invoke<R>(manager, method, args);
  const keys = () =>
    test.service.graph
      .get(manager)
      .get('extensionList')
      ?.map(({ key, version }) => `${key} ${version}`);
  return { ...test, invoke, invokeOn: test.invoke, manager, keys };
}

void test('extensions are registered, found, updated and unregistered', async (context) => {
  const { invoke, keys } = await world(context);
  await invoke('RegisterExtension', { extension: extension('com.example.b') });
  await invoke('RegisterExtension', { extension: extension('com.example.a') });
  assert.deepEqual(keys(), ['com.example.a 1.0', 'com.example.b 1.0']);
  const again = invoke('RegisterExtension', { extension: extension('com.example.a') });
  await assert.rejects(again, fault('InvalidArgument', { invalidProperty: 'extension.key' }));
  await invoke('UpdateExtension', { extension: extension('com.example.a', '2.0') });
  const found = await invoke<Extension>('FindExtension', { extensionKey: 'com.example.a' });
  assert.deepEqual(found, extension('com.example.a', '2.0'));
  await invoke('UnregisterExtension', { extensionKey: 'com.example.a' });
  assert.equal(await invoke('FindExtension', { extensionKey: 'com.example.a' }), undefined);
  await assert.rejects(invoke('UnregisterExtension', { extensionKey: 'com.example.a' }), fault('NotFound'));
  await assert.rejects(invoke('UpdateExtension', { extension: extension('none') }), fault('NotFound'));
});

void test('an extension has the subject of its certificate, whatever is updated later', async (context) => {
  const { invoke } = await world(context);
  const extensionKey = 'com.example';
  await invoke('RegisterExtension', { extension: extension(extensionKey) });
  const set = (certificatePem?: string) => invoke('SetExtensionCertificate', { extensionKey, certificatePem });
  await assert.rejects(set(), fault('NoClientCertificate'));
  await assert.rejects(set('no certificate'), fault('InvalidArgument', { invalidProperty: 'certificatePem' }));
  await set(CERTIFICATE);
  await invoke('UpdateExtension', { extension: extension(extensionKey, '2.0') });
  const found = await invoke<Extension>('FindExtension', { extensionKey });
  assert.deepEqual([found.version, found.subjectName], ['2.0', 'CN=example,O=Example']);
});

void test('extensions survive a restart, and need their privileges', async (context) => {
  const first = await world(context);
  await first.invoke('RegisterExtension', { extension: extension('com.example') });
  await first.stop();
  const { service, keys, manager, login, call, invoke } = await world(context, first.directory);
  assert.deepEqual(keys(), ['com.example 1.0']);
  const reader = { principal: 'reader', isGroup: false, roleId: -2, propagate: true };
  await service.authorization.grant(service.rootFolder, [reader]);
  const asReader = (method: string, args: object) =>
    service.invoke({ this: manager, method, args: { ...args } }, call(login('reader')));
  for (const [method, args, privilegeId] of [
    ['RegisterExtension', { extension: extension('x') }, 'Extension.Register'],
    ['UpdateExtension', { extension: extension('com.example') }, 'Extension.Update'],
    ['UnregisterExtension', { extensionKey: 'com.example' }, 'Extension.Unregister'],
  ] as const) {
    await assert.rejects(asReader(method, args), fault('NoPermission', { privilegeId }));
  }
  assert.ok(await invoke('FindExtension', { extensionKey: 'com.example' }));
});

/** As of a client that has shown the certificate. */
const shown = { clientCertificates: () => [new X509Certificate(CERTIFICATE)] };

async function withLogin(context: Parameters<typeof testService>[0], directory?: string) {
  const test = await world(context, directory);
  const { service, invoke, call } = test;
  const { anonymous } = service.sessions;
  const logIn = (more: Parameters<typeof call>[1] = shown, extensionKey = KEY) =>
    test.invokeOn<UserSession>(
      service.content.sessionManager ?? assert.fail(),
      'LoginExtensionByCertificate',
      { extensionKey },
      call(anonymous, more),
    );
  const refused = async (...args: Parameters<typeof logIn>) => {
    const login = assert.rejects(logIn(...args), fault('InvalidLogin'));
    while (!test.clock.hasTimerWithin(1000)) await turn();
    await test.clock.advance(1000);
    await login;
  };
  const set = (certificatePem: string | undefined, by = call()) =>
    test.invokeOn(test.manager, 'SetExtensionCertificate', { extensionKey: KEY, certificatePem }, by);
  return { ...test, invoke, logIn, refused, set };
}

void test('an extension logs in by its certificate, and may do what its group may', async (context) => {
  const { service, invoke, logIn, refused, set } = await withLogin(context);
  await invoke('RegisterExtension', { extension: extension(KEY) });
  await assert.rejects(logIn({ clientCertificates: () => [] }), fault('NoClientCertificate'));
  await refused();
  await set(CERTIFICATE);
  await refused(shown, 'com.example.other');
  await assert.rejects(logIn(), fault('NoPermission', { privilegeId: 'System.View' }));
  await service.authorization.grantAdmin(GROUP, true);
  const { userName, fullName, extensionSession } = await logIn();
  assert.deepEqual([userName, fullName, extensionSession], [KEY, KEY, true]);
});

void test('an extension that is gone has no sessions, and its certificate is not that of the next one', async (context) => {
  const { service, directory, stop, invoke, logIn, set } = await withLogin(context);
  await service.authorization.grantAdmin(GROUP, true);
  await invoke('RegisterExtension', { extension: extension(KEY) });
  await set(CERTIFICATE);
  const isIn = () => service.sessions.list().some(({ userName }) => userName === KEY);
  await logIn();
  assert.ok(isIn());
  await invoke('UnregisterExtension', { extensionKey: KEY });
  assert.ok(!isIn());
  await invoke('RegisterExtension', { extension: extension(KEY) });
  await stop();
  const again = await withLogin(context, directory);
  await again.refused();
});

void test('a certificate is set by who may do everything, and is kept', async (context) => {
  const first = await withLogin(context);
  await first.service.authorization.grantAdmin(GROUP, true);
  await first.invoke('RegisterExtension', { extension: extension(KEY) });
  const roleId = await first.service.authorization.addRole('updater', ['Extension.Update']);
  const updater = { principal: 'updater', isGroup: false, roleId, propagate: true };
  await first.service.authorization.grant(first.service.rootFolder, [updater]);
  const byUpdater = first.set(CERTIFICATE, first.call(first.login('updater')));
  await assert.rejects(byUpdater, fault('NoPermission'));
  // The one that the client shows.
  await first.set(undefined, first.call(first.login('root'), shown));
  await first.stop();
  const { logIn } = await withLogin(context, first.directory);
  assert.equal((await logIn()).userName, KEY);
});

void test('what an extension manages can be asked for', async (context) => {
  const { invoke, service } = await world(context);
  const managedBy = make('ManagedByInfo', { extensionKey: KEY, type: 'appliance' });
  const vms = ['vm-1', 'vm-2'].map((id) => moRef('VirtualMachine', id));
  service.graph.add(vms[0] as never, { name: 'own', config: { managedBy } } as never, {});
  service.graph.add(vms[1] as never, { name: 'other', config: {} } as never, {});
  assert.deepEqual(await invoke('QueryManagedBy', { extensionKey: KEY }), [vms[0]]);
  assert.deepEqual(await invoke('QueryManagedBy', { extensionKey: 'com.example.none' }), []);
});
