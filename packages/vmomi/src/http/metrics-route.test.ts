import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, moRef } from '@vivarium/vim';
import { turn } from '../testing/test-clock.ts';
import { testServer } from '../testing/test-server.ts';
import { fault, OTHER_VM, ROOT, VM } from '../testing/test-service.ts';

type Server = Awaited<ReturnType<typeof testServer>>;

const basic = (userName: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`,
});

function runs(server: Server, vm: typeof VM, name: string, cpuMhz: number): void {
  const quickStats = make('VirtualMachineQuickStats', {
    overallCpuUsage: cpuMhz,
    hostMemoryUsage: 3,
    uptimeSeconds: 60,
    guestHeartbeatStatus: 'green',
  });
  const runtime = { powerState: 'poweredOn', connectionState: 'connected' };
  const config = { name, memorySizeMB: 512, numCpu: 2, template: false, vmPathName: '' };
  server.service.graph
    .get(vm)
    .update({ name, summary: { _typeName: 'VirtualMachineSummary', quickStats, runtime, config } });
}

async function withUsers(server: Server): Promise<void> {
  const { accounts, authorization } = server.service;
  for (const userName of ['reader', 'nobody', 'tenant']) await accounts.addUser(userName, 'Vivarium-1', '');
  await authorization.grant(ROOT, [{ principal: 'reader', isGroup: false, roleId: -2, propagate: true }]);
  await authorization.grant(VM, [{ principal: 'tenant', isGroup: false, roleId: -2, propagate: true }]);
}

const sample = (text: string, line: string) =>
  Number(
    text
      .split('\n')
      .find((candidate) => candidate.startsWith(`${line} `))
      ?.slice(line.length + 1),
  );

void test('nobody is told anything without a login, and none but those who may read the root folder', async (context) => {
  const server = await testServer(context);
  await withUsers(server);
  const get = (headers = {}) => server.send('GET', '/metrics', { headers });
  const anonymous = await get();
  assert.equal(anonymous.status, 401);
  assert.match(String(anonymous.headers['www-authenticate']), /^Basic /);
  assert.equal(anonymous.text, '');
  const refused = get(basic('reader', 'wrong'));
  while (!server.clock.hasTimerWithin(1_000)) await turn();
  await server.clock.advance(1_000);
  assert.equal((await refused).status, 401);
  assert.equal((await get(basic('nobody', 'Vivarium-1'))).status, 403);
  assert.equal((await get(basic('tenant', 'Vivarium-1'))).status, 403);
  const answer = await get(basic('reader', 'Vivarium-1'));
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const session = server.login('root');
  assert.equal((await get({ 'vmware-api-session-id': session.id })).status, 200);
});

void test('VMs are counted and shown with what they use, but not those that the asker may not read', async (context) => {
  const server = await testServer(context);
  await withUsers(server);
  runs(server, VM, 'web "1"', 500);
  runs(server, OTHER_VM, 'secret', 700);
  await server.service.authorization.grant(OTHER_VM, [
    { principal: 'reader', isGroup: false, roleId: -5, propagate: true },
  ]);
  const { text } = await server.send('GET', '/metrics', { headers: basic('reader', 'Vivarium-1') });
  assert.equal(sample(text, 'vivarium_virtual_machines{power_state="poweredOn"}'), 1);
  assert.equal(sample(text, 'vivarium_vm_cpu_usage_hertz{vm="1",name="web \\"1\\""}'), 500_000_000);
  assert.equal(sample(text, 'vivarium_vm_memory_consumed_bytes{vm="1",name="web \\"1\\""}'), 3 * 2 ** 20);
  assert.equal(sample(text, 'vivarium_vm_memory_size_bytes{vm="1",name="web \\"1\\""}'), 512 * 2 ** 20);
  assert.ok(!text.includes('secret'));
  const all = await server.send('GET', '/metrics?vms=false', {
    headers: { 'vmware-api-session-id': server.login('root').id },
  });
  assert.equal(sample(all.text, 'vivarium_virtual_machines{power_state="poweredOn"}'), 2);
  assert.ok(!all.text.includes('vivarium_vm_'));
});

void test('calls, tasks, sessions and the process are counted', async (context) => {
  const server = await testServer(context);
  const { service, invoke } = server;
  const si = moRef('ServiceInstance', 'ServiceInstance');
  await invoke(si, 'CurrentTime');
  await invoke(si, 'CurrentTime');
  await assert.rejects(invoke(si, 'QueryVMotionCompatibility', { vm: VM, host: [] }), fault('NotSupported'));
  await assert.rejects(invoke(si, 'NoSuchMethod'), fault('MethodNotFound'));
  const spec = { entity: VM, descriptionId: 'VirtualMachine.powerOn' };
  await service.tasks.run(spec, async () => undefined);
  await assert.rejects(service.tasks.run(spec, () => Promise.reject(new Error('no'))));
  const headers = { 'vmware-api-session-id': server.login('root').id };
  const { text } = await server.send('GET', '/metrics', { headers });
  assert.equal(sample(text, 'vivarium_api_requests_total{method="CurrentTime",outcome="ok"}'), 2);
  assert.equal(sample(text, 'vivarium_api_requests_total{method="QueryVMotionCompatibility",outcome="fault"}'), 1);
  assert.equal(sample(text, 'vivarium_api_requests_total{method="unknown",outcome="fault"}'), 1);
  assert.equal(sample(text, 'vivarium_api_request_duration_seconds_count{method="CurrentTime"}'), 2);
  assert.equal(sample(text, 'vivarium_tasks_total{operation="VirtualMachine.powerOn",state="success"}'), 1);
  assert.equal(sample(text, 'vivarium_tasks_total{operation="VirtualMachine.powerOn",state="error"}'), 1);
  assert.equal(sample(text, 'vivarium_task_duration_seconds_count{operation="VirtualMachine.powerOn"}'), 2);
  assert.equal(sample(text, 'vivarium_sessions'), 2);
  assert.ok(sample(text, 'process_resident_memory_bytes') > 2 ** 24);
  assert.ok(sample(text, 'process_cpu_seconds_total') > 0);
  for (const line of text.split('\n').filter((candidate) => candidate !== '' && !candidate.startsWith('#'))) {
    assert.match(line, /^[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})? [-+0-9.eInf]+$/);
  }
});
