import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestServer, testServer } from '../testing/test-server.ts';

const JSON_HEADERS = { 'content-type': 'application/json' };

async function world(context: Parameters<typeof testServer>[0]) {
  const server = await testServer(context);
  await server.service.accounts.setPassword('root', 'geheim');
  const post = (path: string, body: unknown, id?: string) =>
    server.send('POST', `/sdk/vim25/8.0.3.0/${path}`, {
      headers: { ...JSON_HEADERS, ...(id && { 'vmware-api-session-id': id }) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const get = (path: string, id?: string) =>
    server.send('GET', `/sdk/vim25/8.0.3.0/${path}`, id ? { headers: { 'vmware-api-session-id': id } } : {});
  return { ...server, post, get };
}

async function logIn({ post }: TestServer & Awaited<ReturnType<typeof world>>): Promise<string> {
  const answer = await post('SessionManager/ha-sessionmgr/Login', { userName: 'root', password: 'geheim' });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(JSON.parse(answer.text)._typeName, 'UserSession');
  return String(answer.headers['vmware-api-session-id']);
}

void test('Login returns the session in a header, which opens methods and properties', async (context) => {
  const server = await world(context);
  const id = await logIn(server);
  const time = await server.post('ServiceInstance/ServiceInstance/CurrentTime', {}, id);
  assert.equal(time.status, 200);
  assert.equal(JSON.parse(time.text), '2026-01-01T00:00:00.000Z');
  const name = await server.get('VirtualMachine/1/name', id);
  assert.equal(JSON.parse(name.text), 'vm1');
  const children = await server.get('Folder/ha-folder-vm/childEntity', id);
  assert.deepEqual(JSON.parse(children.text)[0], {
    _typeName: 'ManagedObjectReference',
    type: 'VirtualMachine',
    value: '1',
  });
  assert.equal((await server.get('VirtualMachine/1/config', id)).status, 204);
  assert.equal((await server.post('VirtualMachine/1/ShutdownGuest', '', id)).status, 204);
  assert.equal((await server.post('SessionManager/ha-sessionmgr/Logout', {}, id)).status, 204);
  assert.equal((await server.get('VirtualMachine/1/name', id)).status, 500);
});

void test('faults are 500 with the fault as body; what does not exist is 404, no JSON is 400', async (context) => {
  const server = await world(context);
  const refused = await server.post('VirtualMachine/1/PowerOnVM_Task', {});
  assert.equal(refused.status, 500);
  const body = JSON.parse(refused.text);
  assert.equal(body._typeName, 'NotAuthenticated');
  assert.equal(body.privilegeId, 'VirtualMachine.Interact.PowerOn');
  assert.ok(body.faultMessage[0].message);
  const id = await logIn(server);
  assert.equal(
    JSON.parse((await server.post('VirtualMachine/99/PowerOnVM_Task', {}, id)).text)._typeName,
    'ManagedObjectNotFound',
  );
  assert.equal((await server.post('VirtualMachine/1/NoSuchMethod', {}, id)).status, 404);
  assert.equal((await server.post('NoSuchType/1/PowerOnVM_Task', {}, id)).status, 404);
  assert.equal((await server.get('VirtualMachine/1/noSuchProperty', id)).status, 404);
  assert.equal(
    (
      await server.send('POST', '/sdk/vim25/nonsense/VirtualMachine/1/PowerOnVM_Task', {
        headers: JSON_HEADERS,
        body: '{}',
      })
    ).status,
    404,
  );
  const broken = await server.post('VirtualMachine/1/PowerOnVM_Task', '{"host":', id);
  assert.equal(broken.status, 400);
  assert.equal(JSON.parse(broken.text)._typeName, 'InvalidRequest');
  const wrong = await server.post('EventManager/ha-eventmgr/QueryEvents', { filter: { maxCount: 'many' } }, id);
  assert.equal(JSON.parse(wrong.text)._typeName, 'InvalidRequest');
});

void test('versions, WSDL and product are open without a login', async (context) => {
  const server = await world(context);
  const versions = await server.send('GET', '/sdk/vimServiceVersions.xml');
  assert.match(versions.text, /<version>8\.0\.3\.0<\/version>/);
  assert.match((await server.send('GET', '/sdk/vimService.wsdl')).text, /<definitions/);
  assert.match((await server.send('GET', '/sdk/vimService?wsdl')).text, /<definitions/);
  assert.match((await server.send('GET', '/sdk/vim-types.xsd')).text, /<complexType name="VirtualMachineConfigSpec"/);
  assert.equal((await server.send('GET', '/sdk/other.xsd')).status, 404);
  assert.equal(JSON.parse((await server.send('GET', '/about')).text).apiType, 'HostAgent');
});
