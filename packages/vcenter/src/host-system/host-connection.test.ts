import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Event, type MoRef, make } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, type TestCenter, testCenter } from '../testing/test-center.ts';

async function oneHost(center: TestCenter) {
  const { datacenter, cluster } = await center.cluster();
  const esx1 = new FakeHost('esx1');
  const web = esx1.addVm({ name: 'web', powerState: 'poweredOn' });
  const host = (await center.addHost(cluster as MoRef, esx1)) as MoRef;
  const [vm] = center.read<MoRef[]>(host, 'vm') as [MoRef];
  return { datacenter, cluster, esx1, web, host, vm };
}

const reconnect = (center: TestCenter, host: MoRef, cnxSpec: object) =>
  center.task(host, 'ReconnectHost_Task', { cnxSpec: make('HostConnectSpec', { force: false, ...cnxSpec }) });

void test('a host that another vCenter has taken is left to it, until it is taken back by force', async (t) => {
  const center = await testCenter(t);
  const { esx1, host, vm } = await oneHost(center);
  const told: Event[] = [];
  center.service.events.onPost((event) => told.push(event));
  esx1.claim('of-another', true);
  esx1.sever();
  await center.until(host, 'runtime.connectionState', 'disconnected');
  assert.equal(center.read(vm, 'runtime.connectionState'), 'disconnected');
  const [taken] = told.filter(({ _typeName }) => _typeName === 'HostCnxFailedAlreadyManagedEvent');
  assert.equal((taken as { serverName?: string } | undefined)?.serverName, 'of-another');
  await assert.rejects(center.task(host, 'ReconnectHost_Task'), fault('AlreadyBeingManaged'));
  const account = { userName: 'root', password: 'right' };
  await assert.rejects(reconnect(center, host, account), fault('AlreadyBeingManaged'));
  assert.equal(esx1.managedBy, 'of-another');
  const later = await center.restart();
  assert.equal(later.read(host, 'runtime.connectionState'), 'disconnected');
  await reconnect(later, host, { ...account, force: true });
  assert.equal(esx1.managedBy, later.service.content.about.instanceUuid);
  assert.equal(later.read(host, 'runtime.connectionState'), 'connected');
});

void test('a host is reconnected at another address, if it is the same machine', async (t) => {
  const center = await testCenter(t);
  const { esx1, host } = await oneHost(center);
  await center.task(host, 'DisconnectHost_Task');
  center.dialer.hosts.delete('esx1');
  center.dialer.hosts.set('192.0.2.1', esx1);
  center.dialer.add(new FakeHost('esx2'));
  const account = { userName: 'root', password: 'right' };
  await assert.rejects(center.task(host, 'ReconnectHost_Task'), fault('NoHost'));
  assert.equal(center.read(host, 'runtime.connectionState'), 'disconnected');
  await assert.rejects(reconnect(center, host, { ...account, hostName: 'esx2' }), fault('InvalidArgument'));
  await assert.rejects(reconnect(center, host, { hostName: '192.0.2.1' }), fault('InvalidArgument'));
  await assert.rejects(
    reconnect(center, host, { hostName: '192.0.2.1', userName: 'root', password: 'wrong' }),
    fault('InvalidLogin'),
  );
  await reconnect(center, host, { ...account, hostName: '192.0.2.1' });
  const later = await center.restart();
  await later.until(host, 'runtime.connectionState', 'connected');
});

void test('a host leaves a cluster when it is in maintenance mode or disconnected, a standalone one with its ComputeResource', async (t) => {
  const center = await testCenter(t);
  const { datacenter, host } = await oneHost(center);
  await assert.rejects(center.task(host, 'Destroy_Task'), fault('InvalidState'));
  await center.task(host, 'DisconnectHost_Task');
  await center.task(host, 'Destroy_Task');
  center.dialer.add(new FakeHost('esx2'));
  const spec = { hostName: 'esx2', userName: 'root', password: 'right', force: false };
  const hostFolder = center.read<MoRef>(datacenter as MoRef, 'hostFolder');
  const alone = await center.task<MoRef>(hostFolder, 'AddStandaloneHost_Task', { spec, addConnected: true });
  const [standalone] = center.read<MoRef[]>(alone, 'host') as [MoRef];
  await assert.rejects(center.task(standalone, 'Destroy_Task'), fault('NotSupported'));
  await center.task(alone, 'Destroy_Task');
  assert.equal(center.service.graph.find(standalone), undefined);
});

void test('a host whose removal cannot be kept is still there', async (t) => {
  const center = await testCenter(t);
  const { esx1, host } = await oneHost(center);
  const { inventory } = center.center;
  await center.task(host, 'EnterMaintenanceMode_Task', { timeout: 0 });
  const fails = t.mock.method(inventory, 'apply', () => Promise.reject(new Error('the disk is full')));
  await assert.rejects(center.task(host, 'Destroy_Task'), fault('SystemError'));
  fails.mock.restore();
  await center.until(host, 'runtime.connectionState', 'connected');
  assert.equal(esx1.managedBy, center.service.content.about.instanceUuid);
});

void test('a standalone host does not take a name that something in its folder has', async (t) => {
  const center = await testCenter(t);
  const { datacenter } = await center.cluster();
  const hostFolder = center.read<MoRef>(datacenter as MoRef, 'hostFolder');
  await center.invoke(hostFolder, 'CreateFolder', { name: 'esx1' });
  const esx1 = center.dialer.add(new FakeHost('esx1'));
  const spec = { hostName: 'esx1', userName: 'root', password: 'right', force: false };
  await assert.rejects(
    center.task(hostFolder, 'AddStandaloneHost_Task', { spec, addConnected: true }),
    fault('DuplicateName'),
  );
  assert.equal(esx1.managedBy, undefined);
});
