import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ADMIN, smallCenter } from '../testing/small-center.ts';

const structure = (name: string, fields: object) => ({ STRUCTURE: { [name]: fields } });

async function world(context: TestContext) {
  const center = await smallCenter(context);
  const raw = async (body: unknown) => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { 'content-type': 'application/json' };
    const { statusCode, body: text } = await center.app.inject({ method: 'POST', url: '/api', headers, payload });
    assert.equal(statusCode, 200, text);
    return JSON.parse(text) as {
      id: unknown;
      result?: { output?: unknown; error?: unknown };
      error?: { code: number };
    };
  };
  const invoke = async (securityCtx: object, serviceId: string, operationId: string, input: object = {}) => {
    const params = {
      ctx: { appCtx: {}, securityCtx },
      serviceId,
      operationId,
      input: structure('operation-input', input),
    };
    const answer = await raw({ jsonrpc: '2.0', method: 'invoke', params, id: '7' });
    assert.equal(answer.id, '7');
    assert.ok(answer.result);
    return answer.result;
  };
  const password = { schemeId: 'com.vmware.vapi.std.security.user_pass', ...ADMIN };
  const opened = await invoke(password, 'com.vmware.cis.session', 'create');
  const { SECRET: sessionId } = opened.output as { SECRET: string };
  const session = { schemeId: 'com.vmware.vapi.std.security.session_id', sessionId };
  return { ...center, raw, invoke, session };
}

void test('sessions, structures, options and secrets are in the encoding of vAPI', async (context) => {
  const { invoke, session } = await world(context);
  assert.deepEqual(await invoke(session, 'com.vmware.cis.session', 'get'), {
    output: structure('com.vmware.cis.session.info', {
      user: 'Administrator@VIVARIUM.LOCAL',
      created_time: '2026-01-01T00:00:00.000Z',
      last_accessed_time: '2026-01-01T00:00:00.000Z',
    }),
  });
  const filter = { OPTIONAL: structure('com.vmware.vcenter.VM.filter_spec', { names: { OPTIONAL: ['db'] } }) };
  const db = {
    vm: 'vm-32',
    name: 'db',
    power_state: 'POWERED_OFF',
    cpu_count: { OPTIONAL: 2 },
    memory_size_MiB: { OPTIONAL: 512 },
  };
  assert.deepEqual(await invoke(session, 'com.vmware.vcenter.VM', 'list', { filter }), {
    output: [structure('com.vmware.vcenter.VM.summary', db)],
  });
  assert.deepEqual(await invoke(session, 'com.vmware.vcenter.vm.power', 'start', { vm: 'vm-32' }), { output: null });
  assert.deepEqual(await invoke(session, 'com.vmware.vcenter.vm.power', 'get', { vm: 'vm-32' }), {
    output: structure('com.vmware.vcenter.vm.power.info', {
      state: 'POWERED_ON',
      clean_power_off: { OPTIONAL: null },
    }),
  });
  const info = (await invoke(session, 'com.vmware.vcenter.VM', 'get', { vm: 'vm-31' })).output;
  assert.match(JSON.stringify(info), /"disks":\[\{"STRUCTURE":\{"map-entry":\{"key":"2000","value":\{"STRUCTURE"/);
});

void test('refusals are error values with their type', async (context) => {
  const { invoke, session } = await world(context);
  const errorOf = async (securityCtx: object, service: string, name: string, input?: object) =>
    Object.keys(((await invoke(securityCtx, service, name, input)).error as { ERROR: object }).ERROR);
  const std = (type: string) => [`com.vmware.vapi.std.errors.${type}`];
  const vm = 'com.vmware.vcenter.VM';
  assert.deepEqual(await errorOf({}, vm, 'list'), std('unauthenticated'));
  assert.deepEqual(await errorOf({ ...session, sessionId: 'x' }, vm, 'list'), std('unauthenticated'));
  const wrong = { schemeId: 'com.vmware.vapi.std.security.user_pass', userName: ADMIN.userName, password: 'wrong' };
  assert.deepEqual(await errorOf(wrong, 'com.vmware.cis.session', 'create'), std('unauthenticated'));
  assert.deepEqual(await errorOf(session, vm, 'get', { vm: 'vm-999' }), std('not_found'));
  assert.deepEqual(await errorOf(session, vm, 'dance'), std('operation_not_found'));
  assert.deepEqual(await errorOf(session, vm, 'get', { vm: 7 }), std('invalid_argument'));
  assert.deepEqual(await errorOf(session, vm, 'get', { vm: 'vm-31', x: 1 }), std('unexpected_input'));
  assert.deepEqual(await errorOf(session, vm, 'get', { vm: { BINARY: 'eA==' } }), std('invalid_argument'));
});

void test('what is no request of the protocol is refused by it', async (context) => {
  const { raw, errors } = await world(context);
  let deep: unknown = 'x';
  for (let level = 0; level < 100; level += 1) deep = { OPTIONAL: deep };
  const params = { serviceId: 'com.vmware.cis.session', operationId: 'create', input: deep };
  for (const [body, code] of [
    ['{', -32_700],
    ['null', -32_700],
    [[], -32_601],
    [{ jsonrpc: '2.0', method: 'list', id: 1 }, -32_601],
    [{ jsonrpc: '2.0', method: 'invoke', id: 1 }, -32_600],
    [{ jsonrpc: '2.0', method: 'invoke', id: 1, params: { serviceId: 7, operationId: 'x' } }, -32_600],
  ] as const)
    assert.equal((await raw(body)).error?.code, code, JSON.stringify(body));
  const nested = await raw({ jsonrpc: '2.0', method: 'invoke', id: 1, params });
  assert.match(JSON.stringify(nested.result), /nested too deeply/);
  assert.deepEqual(errors, []);
});
