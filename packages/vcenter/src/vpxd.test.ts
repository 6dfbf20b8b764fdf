import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef } from '@vivarium/vim';
import { ROOT_FOLDER } from './folder/create-entity.ts';
import { FakeHost } from './testing/fake-host.ts';
import { fault, type TestCenter, testCenter } from './testing/test-center.ts';

const ROOT = ROOT_FOLDER as MoRef;

async function twoHosts(center: TestCenter) {
  const { datacenter, cluster } = await center.cluster();
  const first = new FakeHost('esx1');
  const second = new FakeHost('esx2');
  first.addVm({ name: 'web' });
  const hosts = [
    await center.addHost(cluster as MoRef, first),
    await center.addHost(cluster as MoRef, second),
  ] as const;
  return { datacenter, cluster, first, second, hosts };
}

const names = (center: TestCenter, refs: readonly MoRef[]) =>
  refs.map((ref) => center.read<string>(ref, 'name')).sort();

void test('a datacenter comes with its four folders, and names are unique in a folder', async (context) => {
  const center = await testCenter(context);
  const datacenter = await center.invoke<MoRef>(ROOT, 'CreateDatacenter', { name: 'DC0' });
  assert.deepEqual(center.read(ROOT, 'childEntity'), [datacenter]);
  const vmFolder = center.read<MoRef>(datacenter, 'vmFolder');
  assert.equal(center.read(vmFolder, 'name'), 'vm');
  assert.deepEqual(center.read(vmFolder, 'childType'), ['Folder', 'VirtualMachine', 'VirtualApp']);
  await assert.rejects(center.invoke(ROOT, 'CreateDatacenter', { name: 'DC0' }), fault('DuplicateName'));
  await assert.rejects(center.invoke(vmFolder, 'CreateDatacenter', { name: 'DC1' }), fault('NotSupported'));
  await assert.rejects(center.invoke(ROOT, 'CreateFolder', { name: ' ' }), fault('InvalidName'));
  const folder = await center.invoke<MoRef>(ROOT, 'CreateFolder', { name: 'a/b' });
  assert.equal(center.read(folder, 'name'), 'a%2fb');
});

void test('folders are renamed, moved and destroyed; a folder does not move into itself', async (context) => {
  const center = await testCenter(context);
  const one = await center.invoke<MoRef>(ROOT, 'CreateFolder', { name: 'one' });
  const two = await center.invoke<MoRef>(one, 'CreateFolder', { name: 'two' });
  await center.task(two, 'Rename_Task', { newName: 'three' });
  assert.equal(center.read(two, 'name'), 'three');
  await assert.rejects(center.task(two, 'MoveIntoFolder_Task', { list: [one] }), fault('InvalidFolder'));
  await center.task(ROOT, 'MoveIntoFolder_Task', { list: [two] });
  assert.deepEqual(center.read(two, 'parent'), ROOT);
  assert.deepEqual(center.read(one, 'childEntity'), []);
  await center.task(one, 'Destroy_Task');
  assert.equal(center.service.graph.find(one), undefined);
  assert.deepEqual(names(center, center.read(ROOT, 'childEntity')), ['three']);
});

void test('hosts bring their VMs, datastores and networks', async (context) => {
  const center = await testCenter(context);
  const { datacenter, cluster, hosts } = await twoHosts(center);
  assert.deepEqual(names(center, center.read(cluster as MoRef, 'host')), ['esx1', 'esx2']);
  const vms = center.read<MoRef[]>(hosts[0] as MoRef, 'vm');
  assert.deepEqual(names(center, vms), ['web']);
  // Each host's own datastore under a name of its own, the port groups of one name as one network.
  assert.deepEqual(names(center, center.read(datacenter as MoRef, 'datastore')), ['datastore1', 'datastore1 (1)']);
  assert.deepEqual(names(center, center.read(datacenter as MoRef, 'network')), ['VM Network']);
  const [network] = center.read<MoRef[]>(cluster as MoRef, 'network');
  assert.equal(center.read<MoRef[]>(network as MoRef, 'host').length, 2);
  assert.deepEqual(center.read(network as MoRef, 'vm'), vms);
  const folder = center.read<MoRef>(vms[0] as MoRef, 'parent');
  assert.equal(center.read(folder, 'name'), 'Discovered virtual machine');
  assert.deepEqual(center.read(vms[0] as MoRef, 'runtime.host'), hosts[0]);
  assert.equal(center.read(cluster as MoRef, 'summary.numHosts'), 2);
  assert.equal(center.read(cluster as MoRef, 'summary.totalCpu'), 16_000);
});

void test('a VM is made where it was asked for, runs, is renamed and goes', async (context) => {
  const center = await testCenter(context);
  const { datacenter, cluster, second, hosts } = await twoHosts(center);
  const vmFolder = center.read<MoRef>(datacenter as MoRef, 'vmFolder');
  const pool = center.read<MoRef>(cluster as MoRef, 'resourcePool');
  const files = { vmPathName: '[datastore1 (1)]' };
  const config = { _typeName: 'VirtualMachineConfigSpec', name: 'db', guestId: 'otherGuest', files };
  const made = await center.task<MoRef>(vmFolder, 'CreateVM_Task', { config, pool });
  const vm = moRef('VirtualMachine', made.value) as MoRef;
  assert.match(vm.value, /^vm-\d+$/);
  assert.deepEqual(center.read(vm, 'parent'), vmFolder);
  assert.deepEqual(center.read(vm, 'resourcePool'), pool);
  // The datastore is on the second host, which calls it otherwise.
  assert.deepEqual(center.read(vm, 'runtime.host'), hosts[1]);
  const asked = second.calls.find(({ method }) => method === 'CreateVM_Task')?.args['config'] as typeof config;
  assert.equal(asked.files.vmPathName, '[datastore1]');
  assert.equal(center.read(vm, 'config.files.vmPathName'), '[datastore1 (1)] db/db.vmx');
  await assert.rejects(center.task(vmFolder, 'CreateVM_Task', { config, pool }), fault('DuplicateName'));
  await center.task(vm, 'PowerOnVM_Task');
  assert.equal(center.read(vm, 'runtime.powerState'), 'poweredOn');
  await assert.rejects(center.task(vm, 'PowerOnVM_Task'), fault('InvalidPowerState'));
  await center.task(vm, 'Rename_Task', { newName: 'db2' });
  assert.equal(center.read(vm, 'name'), 'db2');
  await center.task(vm, 'PowerOffVM_Task');
  const users = [...center.read<MoRef[]>(vm, 'datastore'), ...center.read<MoRef[]>(vm, 'network')];
  assert.ok(users.length > 0);
  for (const one of users) assert.ok(center.read<MoRef[]>(one, 'vm').some(({ value }) => value === vm.value));
  await center.task(vm, 'Destroy_Task');
  assert.equal(center.service.graph.find(vm), undefined);
  for (const one of users) assert.ok(!center.read<MoRef[]>(one, 'vm').some(({ value }) => value === vm.value));
  assert.deepEqual(center.read(pool, 'vm'), center.read(hosts[0] as MoRef, 'vm'));
});

void test('a restarted vCenter knows its tree, and its hosts tell the rest', async (context) => {
  const before = await testCenter(context);
  const { hosts, first } = await twoHosts(before);
  const [web] = before.read<MoRef[]>(hosts[0] as MoRef, 'vm');
  for (const vm of first.vms.values()) vm.powerState = 'poweredOn'; // while nobody looks
  const center = await before.restart();
  await center.center.hosts.open(hosts[0]).whenConnected();
  await center.center.hosts.open(hosts[1]).whenConnected();
  assert.deepEqual(center.read(hosts[0] as MoRef, 'vm'), [web]);
  assert.equal(center.read(web as MoRef, 'runtime.powerState'), 'poweredOn');
});

void test('a host that does not answer is shown so, and comes back with its truth', async (context) => {
  const center = await testCenter(context);
  const { hosts, first } = await twoHosts(center);
  const [web] = center.read<MoRef[]>(hosts[0] as MoRef, 'vm') as [MoRef];
  first.cut();
  await center.until(hosts[0] as MoRef, 'runtime.connectionState', 'notResponding');
  assert.equal(center.read(web, 'runtime.connectionState'), 'disconnected');
  await assert.rejects(center.task(web, 'PowerOnVM_Task'), fault('HostNotConnected'));
  first.addVm({ name: 'new' });
  first.isReachable = true;
  await center.until(hosts[0] as MoRef, 'runtime.connectionState', 'connected');
  assert.equal(center.read(web, 'runtime.connectionState'), 'connected');
  assert.deepEqual(names(center, center.read(hosts[0] as MoRef, 'vm')), ['new', 'web']);
});

void test('a VM that another host runs from the same shared files has moved', async (context) => {
  const center = await testCenter(context);
  const { cluster } = await center.cluster();
  const shared = { datastores: { shared: 'ds:///vmfs/volumes/shared/' } };
  const first = new FakeHost('esx1', shared);
  const second = new FakeHost('esx2', shared);
  const files = { name: 'web', instanceUuid: 'u1', vmPathName: '[shared] web/web.vmx' };
  first.addVm(files);
  const hosts = [
    await center.addHost(cluster as MoRef, first),
    await center.addHost(cluster as MoRef, second),
  ] as const;
  const [web] = center.read<MoRef[]>(hosts[0] as MoRef, 'vm') as [MoRef];
  assert.equal(center.read<MoRef[]>(cluster as MoRef, 'datastore').length, 1, 'one datastore, mounted twice');
  second.addVm({ ...files, powerState: 'poweredOn' });
  await center.until(web, 'runtime.host.value', hosts[1].value);
  assert.deepEqual(center.read(hosts[0] as MoRef, 'vm'), []);
  assert.deepEqual(center.read(hosts[1] as MoRef, 'vm'), [web]);
});

void test('a copied VM that comes to another host gets an instance UUID of its own', async (context) => {
  const center = await testCenter(context);
  const { hosts, second } = await twoHosts(center);
  const copy = second.addVm({ name: 'copy', instanceUuid: 'instance-of-web-esx1' });
  await center.eventually(() => center.read<MoRef[]>(hosts[1] as MoRef, 'vm').length === 1);
  assert.notEqual(copy.instanceUuid, 'instance-of-web-esx1');
  assert.equal(center.read<MoRef[]>(hosts[0] as MoRef, 'vm').length, 1);
});

void test('a host that is already here is refused, a wrong password leaves nothing', async (context) => {
  const center = await testCenter(context);
  const { cluster, first } = await twoHosts(center);
  const add = (hostName: string, password: string) =>
    center.task(cluster as MoRef, 'AddHost_Task', {
      spec: { hostName, userName: 'root', password, force: false },
      asConnected: true,
    });
  await assert.rejects(add('esx1', 'right'), fault('AlreadyConnected'));
  center.dialer.hosts.set('other-name', first);
  await assert.rejects(add('other-name', 'right'), fault('AlreadyConnected'));
  center.dialer.add(new FakeHost('esx3'));
  await assert.rejects(add('esx3', 'wrong'), fault('InvalidLogin'));
  await assert.rejects(add('nowhere', 'right'), fault('NoHost'));
  assert.deepEqual(names(center, center.read(cluster as MoRef, 'host')), ['esx1', 'esx2']);
});

void test('a host is disconnected, reconnected and removed, and takes what is only its own with it', async (context) => {
  const center = await testCenter(context);
  const { datacenter, hosts } = await twoHosts(center);
  const host = hosts[1] as MoRef;
  await center.task(host, 'DisconnectHost_Task');
  assert.equal(center.read(host, 'runtime.connectionState'), 'disconnected');
  await center.task(host, 'ReconnectHost_Task');
  assert.equal(center.read(host, 'runtime.connectionState'), 'connected');
  await center.task(host, 'EnterMaintenanceMode_Task', { timeout: 0 });
  await center.task(host, 'Destroy_Task');
  assert.equal(center.service.graph.find(host), undefined);
  assert.deepEqual(names(center, center.read(datacenter as MoRef, 'datastore')), ['datastore1']);
  assert.deepEqual(names(center, center.read(datacenter as MoRef, 'network')), ['VM Network']);
});
