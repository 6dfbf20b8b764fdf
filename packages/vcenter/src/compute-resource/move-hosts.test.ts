import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClusterConfigInfoEx, type MoRef, make } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, type TestCenter, testCenter } from '../testing/test-center.ts';

async function world(center: TestCenter) {
  const { datacenter, cluster } = await center.cluster();
  const hostFolder = center.read<MoRef>(datacenter as MoRef, 'hostFolder');
  const spec = make('ClusterConfigSpecEx', {});
  const other = await center.invoke<MoRef>(hostFolder, 'CreateClusterEx', { name: 'C1', spec });
  const unlimited = make('ResourceAllocationInfo', {
    reservation: 0,
    limit: -1,
    expandableReservation: true,
    shares: make('SharesInfo', { level: 'normal', shares: 0 }),
  });
  const config = make('ResourceConfigSpec', { cpuAllocation: unlimited, memoryAllocation: unlimited });
  const pool = await center.invoke<MoRef>(center.read(other, 'resourcePool'), 'CreateResourcePool', {
    name: 'gold',
    spec: config,
  });
  return { cluster: cluster as MoRef, other, pool, hostFolder };
}

void test('a host that moves to another cluster takes its datastores and VMs out of the first, and out of its rules', async (t) => {
  const center = await testCenter(t);
  const { cluster, other } = await world(center);
  const esx1 = new FakeHost('esx1');
  for (const name of ['a', 'b', 'c']) esx1.addVm({ name });
  const host = (await center.addHost(cluster, esx1)) as MoRef;
  const vms = center.read<MoRef<'VirtualMachine'>[]>(host, 'vm');
  const info = make('ClusterAntiAffinityRuleSpec', { name: 'apart', enabled: true, vm: vms });
  const rule = make('ClusterRuleSpec', { operation: 'add', info });
  const spec = make('ClusterConfigSpecEx', { rulesSpec: [rule] });
  await center.task(cluster, 'ReconfigureComputeResource_Task', { spec, modify: true });
  await assert.rejects(center.task(other, 'MoveInto_Task', { host: [host] }), fault('InvalidState'));
  await center.task(host, 'EnterMaintenanceMode_Task', { timeout: 0 });
  await center.task(other, 'MoveInto_Task', { host: [host] });
  assert.deepEqual(center.read(host, 'parent'), other);
  for (const list of ['host', 'datastore', 'network']) {
    assert.equal(center.read<MoRef[]>(cluster, list).length, 0, list);
    assert.equal(center.read<MoRef[]>(other, list).length, 1, list);
  }
  const { rule: rules = [] } = center.read<ClusterConfigInfoEx>(cluster, 'configurationEx');
  assert.deepEqual(
    rules.flatMap((one) => (one as { vm?: MoRef[] }).vm ?? []),
    [],
  );
  assert.deepEqual(center.read(vms[0] as MoRef, 'resourcePool'), center.read(other, 'resourcePool'));
});

void test('a host that does not answer moves too, and comes back where it is now', async (t) => {
  const center = await testCenter(t);
  const { cluster, other } = await world(center);
  const esx1 = new FakeHost('esx1');
  const host = (await center.addHost(cluster, esx1)) as MoRef;
  await center.task(host, 'EnterMaintenanceMode_Task', { timeout: 0 });
  esx1.cut();
  await center.until(host, 'runtime.connectionState', 'notResponding');
  await center.task(other, 'MoveInto_Task', { host: [host] });
  esx1.isReachable = true;
  await center.until(host, 'runtime.connectionState', 'connected');
  assert.equal(center.read<MoRef[]>(other, 'datastore').length, 1);
});

void test('VMs of hosts that come into a cluster come into the pool that is named', async (t) => {
  const center = await testCenter(t);
  const { cluster, other, pool, hostFolder } = await world(center);
  const esx1 = center.dialer.add(new FakeHost('esx1'));
  esx1.addVm({ name: 'a' });
  const add = (hostName: string) => ({ hostName, userName: 'root', password: 'right', force: false });
  const into = (target: MoRef, resourcePool: MoRef) =>
    center.task<MoRef>(target, 'AddHost_Task', { spec: add('esx1'), asConnected: true, resourcePool });
  await assert.rejects(into(cluster, pool), fault('InvalidArgument'));
  const host = await into(other, pool);
  const [vm] = center.read<MoRef[]>(host, 'vm') as [MoRef];
  assert.deepEqual(center.read(vm, 'resourcePool'), pool);
  const esx2 = center.dialer.add(new FakeHost('esx2'));
  esx2.addVm({ name: 'b' });
  const alone = await center.task<MoRef>(hostFolder, 'AddStandaloneHost_Task', {
    spec: add('esx2'),
    addConnected: true,
  });
  const [second] = center.read<MoRef[]>(alone, 'host') as [MoRef];
  await center.task(other, 'MoveHostInto_Task', { host: second, resourcePool: pool });
  const [moved] = center.read<MoRef[]>(second, 'vm') as [MoRef];
  assert.deepEqual(center.read(moved, 'resourcePool'), pool);
  assert.equal(center.service.graph.find(alone), undefined);
});

void test('a VM that leaves its vApp with its host gets another name where the folder has one of that name', async (t) => {
  const center = await testCenter(t);
  const { cluster, other } = await world(center);
  const spec = make('ClusterConfigSpecEx', { drsConfig: make('ClusterDrsConfigInfo', { enabled: true }) });
  await center.task(cluster, 'ReconfigureComputeResource_Task', { spec, modify: true });
  const hosts = ['esx1', 'esx2'].map((name) => new FakeHost(name));
  for (const host of hosts) host.addVm({ name: 'web' });
  const refs: MoRef[] = [];
  refs.push((await center.addHost(cluster, hosts[0] as FakeHost)) as MoRef);
  const vmOf = (host: MoRef) => center.read<MoRef[]>(host, 'vm')[0] as MoRef;
  const vmFolder = center.read<MoRef>(center.read<MoRef>(center.read(cluster, 'parent'), 'parent'), 'vmFolder');
  const root = center.read<MoRef>(cluster, 'resourcePool');
  const resSpec = center.read<{ config: object }>(root, 'summary').config;
  const configSpec = make('VAppConfigSpec', {});
  const app = await center.invoke<MoRef>(root, 'CreateVApp', { name: 'shop', resSpec, configSpec, vmFolder });
  await center.invoke(app, 'MoveIntoResourcePool', { list: [vmOf(refs[0] as MoRef)] });
  refs.push((await center.addHost(cluster, hosts[1] as FakeHost)) as MoRef);
  await center.task(vmFolder, 'MoveIntoFolder_Task', { list: [vmOf(refs[1] as MoRef)] });
  await center.task(refs[0] as MoRef, 'EnterMaintenanceMode_Task', { timeout: 0 });
  await center.task(other, 'MoveInto_Task', { host: [refs[0], refs[0]] });
  const names = refs.map((host) => center.read(vmOf(host), 'name'));
  assert.deepEqual(names, ['web (1)', 'web']);
  assert.equal(center.read<MoRef[]>(vmFolder, 'childEntity').length, 4, 'with the vApp and what is discovered');
});

void test('of several hosts that move, one that cannot be reached keeps no other from it', async (t) => {
  const center = await testCenter(t);
  const { cluster, other } = await world(center);
  const [lost, well] = [new FakeHost('lost'), new FakeHost('well')];
  const refs: MoRef[] = [];
  for (const host of [lost, well]) {
    refs.push((await center.addHost(cluster, host)) as MoRef);
    await center.task(refs.at(-1) as MoRef, 'EnterMaintenanceMode_Task', { timeout: 0 });
  }
  lost.isReachable = false;
  await assert.rejects(center.task(other, 'MoveInto_Task', { host: refs }), fault('HostCommunication'));
  assert.equal(center.read<MoRef[]>(other, 'datastore').length, 1);
  assert.equal(center.read<MoRef[]>(cluster, 'host').length, 0);
});
