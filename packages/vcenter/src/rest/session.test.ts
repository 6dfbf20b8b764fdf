import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN, smallCenter } from '../testing/small-center.ts';
import { DATACENTER } from '../testing/small-inventory.ts';

const basic = (userName: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`,
});
const REST = '/rest/com/vmware/cis/session';

void test('/rest wraps its answers, /api does not; both open the same kind of session', async (context) => {
  const { send, service } = await smallCenter(context);
  const wrapped = await send('POST', REST, undefined, basic(ADMIN.userName, ADMIN.password));
  assert.equal(wrapped.status, 200);
  const { value } = wrapped.body as { value: string };
  assert.equal(service.sessions.find(value)?.userName, 'VIVARIUM.LOCAL\\Administrator');
  const bare = await send('POST', '/api/session', undefined, basic('administrator', ADMIN.password));
  assert.equal(bare.status, 201);
  assert.match(String(bare.headers['content-type']), /^application\/json/);

  const me = { user: 'Administrator@VIVARIUM.LOCAL', created_time: '2026-01-01T00:00:00.000Z' };
  const header = { 'vmware-api-session-id': value };
  const info = { ...me, last_accessed_time: '2026-01-01T00:00:00.000Z' };
  assert.deepEqual((await send('GET', '/api/session', undefined, header)).body, info);
  assert.deepEqual((await send('GET', REST, undefined, header)).body, { value: info });
  assert.deepEqual((await send('POST', `${REST}?~action=get`, undefined, header)).body, { value: info });

  const out = await send('DELETE', REST, undefined, header);
  assert.deepEqual([out.status, out.text], [200, '']);
  assert.equal((await send('DELETE', '/api/session', undefined, header)).status, 401);
  const other = { 'vmware-api-session-id': bare.body as string };
  const gone = await send('DELETE', '/api/session', undefined, other);
  assert.deepEqual([gone.status, gone.text], [204, '']);
  assert.deepEqual(service.sessions.list(), []);
});

void test('a session of SOAP opens REST, and the other way round', async (context) => {
  const { send, app, logIn, service } = await smallCenter(context);
  const { 'vmware-api-session-id': id = '' } = await logIn(ADMIN.userName, ADMIN.password);
  const current = '/sdk/vim25/9.0.0.0/SessionManager/SessionManager/currentSession';
  const { body } = await app.inject({ url: current, headers: { 'vmware-api-session-id': id } });
  assert.equal((JSON.parse(body) as { userName?: string }).userName, 'VIVARIUM.LOCAL\\Administrator');
  const principal = service.users.find('Administrator');
  assert.ok(principal);
  const soap = service.sessions.open(principal, { ipAddress: '127.0.0.1', userAgent: '', locale: 'en' });
  const answer = await send('GET', '/api/session', undefined, { 'vmware-api-session-id': soap.id });
  assert.equal(answer.status, 200);
});

void test('without a session everything is 401, with the body that vCenter sends', async (context) => {
  const { send, domain } = await smallCenter(context);
  const messages = [
    {
      id: 'com.vmware.vapi.endpoint.method.authentication.required',
      default_message: 'Authentication required.',
      args: [],
    },
  ];
  const challenge = 'Basic realm="VAPI endpoint"';
  const bare = await send('GET', '/api/session', undefined, {});
  assert.equal(bare.status, 401);
  assert.equal(bare.headers['www-authenticate'], challenge);
  assert.deepEqual(bare.body, { error_type: 'UNAUTHENTICATED', messages, challenge });
  const wrapped = await send('GET', REST, undefined, { 'vmware-api-session-id': 'no such session' });
  assert.deepEqual(wrapped.body, {
    type: 'com.vmware.vapi.std.errors.unauthenticated',
    value: { error_type: 'UNAUTHENTICATED', messages, challenge },
  });
  assert.equal((await send('POST', REST, undefined, {})).status, 401, 'no credentials');
  const wrong = await send('POST', REST, undefined, basic(ADMIN.userName, 'Wrong-1aa'));
  assert.equal(wrong.status, 401);
  assert.match(wrong.text, /vmsg\.InvalidLogin\.summary/);

  await domain.addUser('ann', 'Sesame.1');
  const nobody = await send('POST', REST, undefined, basic('ann', 'Sesame.1'));
  assert.equal(nobody.status, 403, 'as at the SOAP door, who may see nothing is not let in');
});

void test('clients that keep the id themselves get no cookie, others do, and it works', async (context) => {
  const { send } = await smallCenter(context);
  const credentials = basic(ADMIN.userName, ADMIN.password);
  const header = await send('POST', REST, undefined, { ...credentials, 'vmware-use-header-authn': 'true' });
  assert.equal(header.headers['set-cookie'], undefined);
  const { headers, body } = await send('POST', REST, undefined, credentials);
  const id = (body as { value: string }).value;
  assert.equal(headers['set-cookie'], `vmware-api-session-id=${id}; Path=/rest; HttpOnly; Secure; SameSite=Strict`);
  assert.equal((await send('GET', REST, undefined, { cookie: `a=b; vmware-api-session-id=${id}` })).status, 200);
});

void test('paths, actions and bodies that mean nothing are refused in words', async (context) => {
  const { send, errors } = await smallCenter(context);
  const missing = {
    error_type: 'NOT_FOUND',
    messages: [{ id: 'com.vmware.vapi.rest.httpNotFound', default_message: 'Not found.', args: [] }],
  };
  for (const path of ['/api/nothing', '/api/vcenter', '/api/session/x'])
    assert.deepEqual((await send('GET', path)).body, missing, path);
  assert.equal((await send('PATCH', '/api/session')).status, 404);
  assert.equal((await send('POST', `${REST}?~action=dance`)).status, 404);
  const category = '/api/cis/tagging/category';
  assert.match((await send('POST', category, '{"name":')).text, /INVALID_REQUEST/);
  const spec = { name: 'a', description: '', cardinality: 'SINGLE', associable_types: [] };
  for (const [body, type, says] of [
    [{ ...spec, cardinality: 'SOME' }, 'INVALID_ARGUMENT', /SINGLE, MULTIPLE/],
    [{ ...spec, name: 7 }, 'INVALID_ARGUMENT', /'name'/],
    [{ ...spec, name: undefined }, 'INVALID_ARGUMENT', /missing a field 'name'/],
    [{ ...spec, associable_types: {} }, 'INVALID_ARGUMENT', /a list/],
    [{ ...spec, associable_types: ['VirtualMachine', 7] }, 'INVALID_ARGUMENT', /associable_types\[1\]/],
    [{ ...spec, Description: 'x' }, 'UNEXPECTED_INPUT', /no field 'Description'/],
    [[], 'INVALID_ARGUMENT', /an object/],
  ] as const) {
    const { status, text } = await send('POST', category, body);
    assert.equal(status, 400, text);
    assert.match(text, new RegExp(`"${type}"`));
    assert.match(text, says);
  }
  assert.match((await send('POST', category)).text, /missing a field 'create_spec'/);
  assert.match((await send('GET', `${category}?nmes=a`)).text, /UNEXPECTED_INPUT/);
  assert.equal((await send('POST', category, 'x'.repeat((4 << 20) + 1))).status, 413);
  assert.deepEqual(errors, []);
});

void test('what is no refusal is logged and tells nothing', async (context) => {
  const { send, tagging, errors } = await smallCenter(context);
  tagging.categories = () => {
    throw new Error('the secret of the inside');
  };
  const { status, text } = await send('GET', '/api/cis/tagging/category');
  assert.equal(status, 500);
  assert.match(text, /INTERNAL_SERVER_ERROR/);
  assert.doesNotMatch(text, /secret/);
  assert.equal(errors.length, 1);
});

void test('a login at REST counts and is noted as one at SOAP', async (context) => {
  const { send, service, domain } = await smallCenter(context);
  await domain.addUser('ann', 'Sesame.1');
  await service.authorization.grant(DATACENTER, [
    { principal: 'VIVARIUM.LOCAL\\ann', isGroup: false, roleId: -2, propagate: true },
  ]);
  for (let count = 0; count < 5; count += 1)
    assert.equal((await send('POST', REST, undefined, basic('ann', 'wrong'))).status, 401);
  assert.equal((await send('POST', REST, undefined, basic('ANN@vivarium.local', 'Sesame.1'))).status, 401, 'locked');
  await service.events.settled();
  assert.equal((service.events.latest as { _typeName?: string })._typeName, 'BadUsernameSessionEvent');
});
