import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostConnectInfo, type HostListSummary, type MoRef, moRef, type TaskInfo } from '@vivarium/vim';
import { refs } from '../inventory/refs.ts';
import { fault } from '../testing/faults.ts';
import { type PublishedHost, publishedHost } from '../testing/published-host.ts';
import { asUser, vmSpec } from '../testing/test-host.ts';
import { until } from '../testing/virtual-clock.ts';

const FOREVER = { timeout: 0 };
const ENTER = 'EnterMaintenanceMode_Task';
const EXIT = 'ExitMaintenanceMode_Task';

const isIn = (world: PublishedHost) => world.property<boolean>(refs.host, 'runtime.inMaintenanceMode');
const info = (world: PublishedHost, task: MoRef<'Task'>) => world.property<TaskInfo>(task, 'info');

/** Types of the host's events, oldest first. */
async function hostEvents({ service }: PublishedHost): Promise<string[]> {
  await service.events.settled();
  const page = service.store.history.page<{ _typeName: string }>('events', { order: 'oldestFirst', limit: 1000 });
  return page.map(({ value }) => value._typeName).filter((type) => /MaintenanceMode|HostOperation/.test(type));
}

void test('an idle host enters maintenance mode at once, says so, stays in it over a restart, and leaves it', async (context) => {
  const world = await publishedHost(context);
  await world.run(refs.host, ENTER, FOREVER);
  assert.ok(isIn(world));
  assert.equal(world.property<HostListSummary>(refs.host, 'summary').runtime?.inMaintenanceMode, true);
  assert.equal(world.property(refs.computeResource, 'summary.numEffectiveHosts'), 0);
  await assert.rejects(world.run(refs.host, ENTER, FOREVER), fault('InvalidState'));
  const later = await world.restart();
  assert.ok(isIn(later));
  await later.run(refs.host, EXIT, FOREVER);
  assert.ok(!isIn(later));
  assert.equal(later.property(refs.computeResource, 'summary.effectiveCpu'), 16_000);
  await assert.rejects(later.run(refs.host, EXIT, FOREVER), fault('InvalidState'));
  assert.deepEqual(await hostEvents(later), [
    'EnteringMaintenanceModeEvent',
    'EnteredMaintenanceModeEvent',
    'ExitMaintenanceModeEvent',
  ]);
  assert.ok(!isIn(await later.restart()));
});

void test('it waits for the last VM to be off; no VM is powered on, made or registered meanwhile, nor afterwards', async (context) => {
  const world = await publishedHost(context);
  const [first, second] = [await world.host.create({ name: 'first' }), await world.host.create({ name: 'second' })];
  await first.powerOn(asUser());
  const task = await world.invoke<MoRef<'Task'>>(refs.host, ENTER, FOREVER);
  await until('it begins', () => world.host.maintenance.state === 'entering');
  assert.ok(!isIn(world));
  const refuses = async () => {
    await assert.rejects(world.run(second.ref, 'PowerOnVM_Task'), fault('InvalidState'));
    const config = { ...vmSpec('third') };
    const pool = refs.resourcePool;
    await assert.rejects(world.run(refs.vmFolder, 'CreateVM_Task', { config, pool }), fault('InvalidState'));
    const register = { path: '[datastore1] x/x.vmx', asTemplate: false, pool };
    await assert.rejects(world.run(refs.vmFolder, 'RegisterVM_Task', register), fault('InvalidState'));
  };
  await refuses();
  await first.suspend(asUser());
  await until('it is in maintenance mode', () => info(world, task).state === 'success');
  await refuses();
  await assert.rejects(world.run(first.ref, 'PowerOnVM_Task'), fault('InvalidState'));
  // What is there can be changed and taken away.
  await world.run(second.ref, 'ReconfigVM_Task', { spec: { annotation: 'x' } });
  await world.run(second.ref, 'Destroy_Task');
  await world.run(refs.host, EXIT, FOREVER);
  await world.run(first.ref, 'PowerOnVM_Task');
});

void test('a power-on that is under way is waited for, and so is the VM that it starts', async (context) => {
  const world = await publishedHost(context);
  const vm = await world.host.create();
  const start = world.host.vmms.hold('start');
  const powerOn = vm.powerOn(asUser());
  await start.reached;
  const task = await world.invoke<MoRef<'Task'>>(refs.host, ENTER, FOREVER);
  start.release();
  await powerOn;
  assert.equal(info(world, task).state, 'running');
  await vm.powerOff(asUser());
  await until('it is in maintenance mode', () => isIn(world));
});

void test('a task that is cancelled or takes too long leaves the host as it was', async (context) => {
  const world = await publishedHost(context);
  const vm = await world.host.create();
  await vm.powerOn(asUser());
  const cancelled = await world.invoke<MoRef<'Task'>>(refs.host, ENTER, FOREVER);
  await until('it begins', () => world.host.maintenance.state === 'entering');
  await assert.rejects(world.run(refs.host, ENTER, FOREVER), fault('InvalidState'));
  await assert.rejects(world.run(refs.host, EXIT, FOREVER), fault('InvalidState'));
  await world.invoke(cancelled, 'CancelTask');
  await until('it is cancelled', () => info(world, cancelled).state === 'error');
  assert.equal(info(world, cancelled).error?.fault._typeName, 'RequestCanceled');
  const late = await world.invoke<MoRef<'Task'>>(refs.host, ENTER, { timeout: 60 });
  await until('it begins', () => world.host.maintenance.state === 'entering');
  await world.host.clock.advance(61_000);
  assert.equal(info(world, late).error?.fault._typeName, 'Timedout');
  assert.ok(!isIn(world));
  await world.run(vm.ref, 'ResetVM_Task');
  const types = await hostEvents(world);
  assert.deepEqual(
    types.filter((type) => type.endsWith('OperationEvent')),
    ['CanceledHostOperationEvent', 'TimedOutHostOperationEvent'],
  );
});

void test('entering ends with hostd: the next one is not in maintenance mode', async (context) => {
  const world = await publishedHost(context);
  const vm = await world.host.create();
  await vm.powerOn(asUser());
  await world.invoke(refs.host, ENTER, FOREVER);
  await until('it begins', () => world.host.maintenance.state === 'entering');
  const later = await world.restart();
  assert.equal(later.host.maintenance.state, 'out');
  await later.run(vm.ref, 'PowerOffVM_Task');
  await later.run(vm.ref, 'PowerOnVM_Task');
});

const CENTER = { serverIp: '192.0.2.10', instanceUuid: 'aaaa', force: false };
const OTHER = { serverIp: '192.0.2.20', instanceUuid: 'bbbb', force: false };

void test('one vCenter at a time manages a host; another one needs force', async (context) => {
  const world = await publishedHost(context);
  const managed = (one: PublishedHost) => one.property<HostListSummary>(refs.host, 'summary').managementServerIp;
  assert.equal(managed(world), undefined);
  await world.invoke(refs.host, 'ClaimManagement', CENTER);
  assert.equal(managed(world), '192.0.2.10');
  await world.invoke(refs.host, 'ClaimManagement', { ...CENTER, serverIp: '192.0.2.11' });
  const already = fault('AlreadyBeingManaged', { ipAddress: '192.0.2.11' });
  await assert.rejects(world.invoke(refs.host, 'ClaimManagement', OTHER), already);
  await assert.rejects(world.invoke(refs.host, 'ReleaseManagement', OTHER), already);
  const later = await world.restart();
  assert.equal(managed(later), '192.0.2.11');
  const session = later.service.sessions.open(
    { userName: 'vpxuser', fullName: '', groups: [] },
    { ipAddress: '192.0.2.11', userAgent: '', locale: 'en', isExtension: true },
  );
  await later.invoke(refs.host, 'ClaimManagement', { ...OTHER, force: true });
  assert.ok(session.ended.aborted, 'the former vCenter is shown out');
  assert.equal(managed(later), '192.0.2.20');
  await later.invoke(refs.host, 'ReleaseManagement', OTHER);
  assert.equal(managed(later), undefined);
  await later.invoke(refs.host, 'ReleaseManagement', OTHER);
});

void test('before it adds a host, vCenter is shown what is on it', async (context) => {
  const world = await publishedHost(context);
  const vm = await world.host.create();
  await world.invoke(refs.host, 'ClaimManagement', CENTER);
  const shown = await world.invoke<HostConnectInfo>(refs.host, 'QueryHostConnectionInfo');
  assert.equal(shown.serverIp, '192.0.2.10');
  assert.deepEqual(shown.vm, [world.property(vm.ref, 'summary')]);
  assert.equal(shown.host.hardware?.numCpuCores, 4);
  assert.equal(shown.capability?.maintenanceModeSupported, true);
  assert.equal(shown.inDasCluster, false);
});

void test("the uptime is the machine's; there is no way to switch it off", async (context) => {
  const world = await publishedHost(context);
  assert.equal(await world.invoke(refs.host, 'RetrieveHardwareUptime'), 1000);
  for (const method of ['ShutdownHost_Task', 'RebootHost_Task'])
    await assert.rejects(world.invoke(refs.host, method, { force: true }), fault('NotSupported'));
  assert.equal(world.service.graph.find(moRef('Task', 'none')), undefined);
});
