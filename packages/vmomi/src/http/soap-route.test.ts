import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { decodeSoapResponse, encodeSoapRequest, type MoRef, schema } from '@vivarium/vim';
import { SERVICE_INSTANCE } from '../service-instance/service-instance.ts';
import { WELL_KNOWN } from '../service-instance/well-known.ts';
import { type Answer, type TestServer, testServer } from '../testing/test-server.ts';
import { fault, VM } from '../testing/test-service.ts';

const HEADERS = { 'content-type': 'text/xml; charset=utf-8', soapaction: '"urn:vim25/8.0.3.0"' };

function decode(method: string, { text }: Answer): unknown {
  const info = schema.declaredMethod(method);
  assert.ok(info);
  return decodeSoapResponse(info.result, text, '8.0.3.0');
}

async function logIn({ service, soap }: TestServer): Promise<{ answer: Answer; cookie: string }> {
  await service.accounts.setPassword('root', 'geheim');
  const manager = service.content.sessionManager as MoRef;
  const answer = await soap(manager, 'Login', { userName: 'root', password: 'geheim' });
  assert.equal(answer.status, 200, answer.text);
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  return { answer, cookie };
}

void test('RetrieveServiceContent needs no login and is XML in UTF-8', async (context) => {
  const server = await testServer(context);
  for (const path of ['/sdk', '/sdk/', '/sdk/vimService']) {
    const body = encodeSoapRequest('RetrieveServiceContent', SERVICE_INSTANCE, {}, '8.0.3.0');
    const answer = await server.send('POST', path, { headers: HEADERS, body });
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers['content-type'], 'text/xml; charset=utf-8');
    const content = decode('RetrieveServiceContent', answer) as { about: { apiType: string } };
    assert.equal(content.about.apiType, 'HostAgent');
  }
});

void test('Login sets the cookie as vSphere does; the cookie opens the rest, in any spelling', async (context) => {
  const server = await testServer(context);
  const { answer, cookie } = await logIn(server);
  assert.match(
    answer.headers['set-cookie']?.[0] ?? '',
    /^vmware_soap_session="[0-9a-f]{40,}"; Path=\/; HttpOnly; Secure$/,
  );
  assert.equal((decode('Login', answer) as { userName: string }).userName, 'root');
  const spellings = [cookie, cookie.replaceAll('"', ''), `other=1; ${cookie}; Path=/; HttpOnly; Secure`];
  for (const one of spellings)
    assert.equal((await server.soap(SERVICE_INSTANCE, 'CurrentTime', {}, { cookie: one })).status, 200);
  const refused = await server.soap(SERVICE_INSTANCE, 'CurrentTime', {}, { cookie: 'vmware_soap_session="guessed"' });
  assert.throws(() => decode('CurrentTime', refused), fault('NotAuthenticated', { privilegeId: 'System.View' }));
  const out = await server.soap(server.service.content.sessionManager as MoRef, 'Logout', {}, { cookie });
  assert.match(out.headers['set-cookie']?.[0] ?? '', /Max-Age=0/);
  assert.equal((await server.soap(SERVICE_INSTANCE, 'CurrentTime', {}, { cookie })).status, 500);
});

void test('a fault is HTTP 500 with the type as element name and as xsi:type', async (context) => {
  const server = await testServer(context);
  const answer = await server.soap(VM, 'PowerOnVM_Task');
  assert.equal(answer.status, 500);
  assert.equal(answer.headers['content-type'], 'text/xml; charset=utf-8');
  assert.match(answer.text, /<faultcode>ServerFaultCode<\/faultcode>/);
  assert.match(answer.text, /<NotAuthenticatedFault xmlns="urn:vim25" xsi:type="NotAuthenticated">/);
});

void test('a failure that is no fault is SystemError, without its inside, and logged', async (context) => {
  const server = await testServer(context);
  const broken: MoRef = { type: 'VirtualMachine', value: '9' };
  server.service.graph.add<'VirtualMachine'>(
    broken as MoRef<'VirtualMachine'>,
    {},
    {
      ShutdownGuest() {
        throw new TypeError('the secret inside');
      },
    },
  );
  const { cookie } = await logIn(server);
  const answer = await server.soap(broken, 'ShutdownGuest', {}, { cookie });
  assert.throws(() => decode('ShutdownGuest', answer), fault('SystemError'));
  assert.ok(!answer.text.includes('secret'));
  assert.match(JSON.stringify(server.errors), /the secret inside/);
});

void test('replies are compressed for clients that ask, small ones and others are not', async (context) => {
  const server = await testServer(context);
  const { cookie } = await logIn(server);
  const large = (headers: Record<string, string>) =>
    server.soap(WELL_KNOWN.HostAgent.authorizationManager, 'Fetch', { prop: 'privilegeList' }, { cookie, headers });
  const gzip = await large({ 'accept-encoding': 'gzip, deflate' });
  assert.equal(gzip.headers['content-encoding'], 'gzip');
  assert.match(gunzipSync(gzip.body).toString(), /FetchResponse/);
  const plain = await large({});
  assert.equal(plain.headers['content-encoding'], undefined);
  const small = await server.soap(
    SERVICE_INSTANCE,
    'CurrentTime',
    {},
    { cookie, headers: { 'accept-encoding': 'gzip' } },
  );
  assert.equal(small.headers['content-encoding'], undefined);
});

void test('requests may be compressed, but not beyond the limit', async (context) => {
  const server = await testServer(context);
  const headers = { ...HEADERS, 'content-encoding': 'gzip' };
  const body = encodeSoapRequest('RetrieveServiceContent', SERVICE_INSTANCE, {}, '8.0.3.0');
  assert.equal((await server.send('POST', '/sdk', { headers, body: gzipSync(body) })).status, 200);
  const bomb = gzipSync(Buffer.alloc(17 << 20, ' '));
  const refused = await server.send('POST', '/sdk', { headers, body: bomb });
  assert.equal(refused.status, 413);
  assert.match(refused.text, /InvalidRequestFault/);
});

void test('bad requests get faults, whatever is wrong with them', async (context) => {
  const server = await testServer(context);
  const envelope = (body: string) =>
    `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
  const cases: [string, RegExp][] = [
    ['', /InvalidRequestFault/],
    ['not xml', /InvalidRequestFault/],
    ['<!DOCTYPE x [<!ENTITY a "b">]>' + envelope('<CurrentTime xmlns="urn:vim25"/>'), /InvalidRequestFault/],
    [envelope('<CurrentTime xmlns="urn:vim25"/>'), /InvalidRequestFault/],
    [
      envelope('<NoSuch xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></NoSuch>'),
      /MethodNotFoundFault/,
    ],
    ['<a>'.repeat(100_000), /InvalidRequestFault/],
  ];
  for (const [body, wanted] of cases) {
    const answer = await server.send('POST', '/sdk', { headers: HEADERS, body });
    assert.equal(answer.status, 500, body.slice(0, 40));
    assert.match(answer.text, wanted);
  }
  const large = await server.send('POST', '/sdk', { headers: HEADERS, body: Buffer.alloc(17 << 20, ' ') });
  assert.equal(large.status, 413);
  assert.match(large.text, /InvalidRequestFault/);
  assert.equal((await server.send('GET', '/sdk')).status, 405);
});

void test("the client's version decides which properties it gets", async (context) => {
  const server = await testServer(context);
  server.service.extendContent({ tenantManager: { type: 'TenantTenantManager', value: 'TenantManager' } });
  const content = async (version: '6.7' | '8.0.3.0') =>
    (await server.soap(SERVICE_INSTANCE, 'RetrieveServiceContent', {}, { version })).text;
  assert.match(await content('8.0.3.0'), /<tenantManager/);
  assert.doesNotMatch(await content('6.7'), /<tenantManager/);
});

void test('a client that goes away aborts its call', async (context) => {
  const server = await testServer(context);
  const started = Promise.withResolvers<AbortSignal>();
  const vm: MoRef<'VirtualMachine'> = { type: 'VirtualMachine', value: '9' };
  server.service.graph.add<'VirtualMachine'>(
    vm,
    {},
    {
      ShutdownGuest: async (_args, { signal }) => {
        started.resolve(signal);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    },
  );
  const { cookie } = await logIn(server);
  const gone = new AbortController();
  const refused = assert.rejects(server.soap(vm, 'ShutdownGuest', {}, { cookie, signal: gone.signal }));
  const signal = await started.promise;
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  gone.abort();
  await aborted;
  await refused;
});

void test('fifty clients wait for updates at once and all hear of the change', async (context) => {
  const server = await testServer(context);
  const collector = server.service.content.propertyCollector;
  const manager = server.service.content.sessionManager as MoRef;
  await server.service.accounts.setPassword('root', 'geheim');
  const spec = {
    _typeName: 'PropertyFilterSpec',
    propSet: [{ _typeName: 'PropertySpec', type: 'VirtualMachine', pathSet: ['name'] }],
    objectSet: [{ _typeName: 'ObjectSpec', obj: VM }],
  };
  const waits = Array.from({ length: 50 }, async () => {
    const login = await server.soap(manager, 'Login', { userName: 'root', password: 'geheim' });
    const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    await server.soap(collector, 'CreateFilter', { spec, partialUpdates: false }, { cookie });
    const first = decode(
      'WaitForUpdatesEx',
      await server.soap(collector, 'WaitForUpdatesEx', { version: '' }, { cookie }),
    );
    const { version } = first as { version: string };
    return { wait: server.soap(collector, 'WaitForUpdatesEx', { version }, { cookie }) };
  });
  const waiting = await Promise.all(waits);
  server.service.graph.get(VM).set('name', 'renamed');
  for (const { wait } of waiting) assert.match((await wait).text, /renamed/);
});
