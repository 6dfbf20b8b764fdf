import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testService } from '../testing/test-service.ts';
import type { AuthenticationRequest } from './authenticate.ts';

const request = (
  headers: AuthenticationRequest['headers'],
  url = '/folder/a.iso?dcPath=ha-datacenter',
  method = 'GET',
) => ({
  headers,
  url,
  method,
  ip: '127.0.0.1',
});
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

void test("a request is its session's by cookie or by header", async (context) => {
  const { service, login } = await testService(context);
  const session = login('root');
  for (const headers of [{ cookie: `vmware_soap_session="${session.id}"` }, { 'vmware-api-session-id': session.id }]) {
    assert.equal(await service.authenticate(request(headers)), session);
  }
  assert.equal(await service.authenticate(request({})), undefined);
  assert.equal(await service.authenticate(request({ cookie: 'vmware_soap_session=""' })), undefined);
  service.sessions.logout(session);
  assert.equal(await service.authenticate(request({ 'vmware-api-session-id': session.id })), undefined);
});

void test('Basic works with the right password and leaves no session behind', async (context) => {
  const { service } = await testService(context);
  await service.accounts.setPassword('root', 'ge:heim');
  const session = await service.authenticate(request(basic('root:ge:heim')));
  assert.equal(session?.userName, 'root');
  assert.deepEqual(service.sessions.list(), []);
  assert.equal(await service.authenticate(request({ authorization: 'Basic %%%' })), undefined);
  assert.equal(await service.authenticate(request(basic('no colon'))), undefined);
});

void test('a service ticket opens its URL however that is escaped, and none that only reads alike', async (context) => {
  const { service, invoke } = await testService(context);
  const manager = service.content.sessionManager;
  assert.ok(manager);
  const isOpenedBy = async (url: string, asked: string) => {
    const spec = { _typeName: 'SessionManagerHttpServiceRequestSpec', method: 'httpGet', url: `https://esx1${url}` };
    const { id } = await invoke<{ id: string }>(manager, 'AcquireGenericServiceTicket', { spec });
    return (await service.authenticate(request({ cookie: `vmware_cgi_ticket=${id}` }, asked))) !== undefined;
  };
  const url = '/folder/a%20b.iso?dcPath=ha-datacenter&dsName=my%20own';
  assert.ok(await isOpenedBy(url, url));
  assert.ok(await isOpenedBy(url, '/folder/%61%20b.iso?dcPath=ha%2Ddatacenter&dsName=my+own'));
  assert.ok(!(await isOpenedBy('/folder/a?x=1%26dsName%3Dother&dsName=own', '/folder/a?x=1&dsName=other&dsName=own')));
  assert.ok(!(await isOpenedBy('/folder/a%2Fb?dsName=own', '/folder/a/b?dsName=own')));
  assert.ok(!(await isOpenedBy('/folder/a%252Fb?dsName=own', '/folder/a%2Fb?dsName=own')));
  assert.ok(!(await isOpenedBy('/folder/a?dsName=own', '/folder/%?dsName=own')));
  assert.ok(!(await isOpenedBy('/folder/a?dsName=own', '//')));
});

void test('a service ticket opens one URL with one verb, once', async (context) => {
  const { service, invoke } = await testService(context);
  const manager = service.content.sessionManager;
  assert.ok(manager);
  const spec = {
    _typeName: 'SessionManagerHttpServiceRequestSpec',
    method: 'httpPut',
    url: 'https://esx1/folder/a%20b.iso?dcPath=ha-datacenter',
  };
  const { id } = await invoke<{ id: string }>(manager, 'AcquireGenericServiceTicket', { spec });
  const headers = { cookie: `vmware_cgi_ticket=${id}` };
  const url = '/folder/a%20b.iso?dcPath=ha-datacenter';
  assert.equal(await service.authenticate(request(headers, url, 'GET')), undefined);
  assert.equal(await service.authenticate(request(headers, '/folder/other.iso', 'PUT')), undefined);
  assert.equal((await service.authenticate(request(headers, url, 'PUT')))?.userName, 'root');
  assert.equal(await service.authenticate(request(headers, url, 'PUT')), undefined);
});
