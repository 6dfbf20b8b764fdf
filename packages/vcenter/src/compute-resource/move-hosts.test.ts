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
