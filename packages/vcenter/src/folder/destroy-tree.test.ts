import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, make } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, testCenter } from '../testing/test-center.ts';

void test('a cluster is destroyed when its hosts may leave it, and so is what is around it', async (t) => {
  const center = await testCenter(t);
  const { datacenter, cluster } = await center.cluster();
  const esx1 = new FakeHost('esx1');
  esx1.addVm({ name: 'web', powerState: 'poweredOn' });
  const host = (await center.addHost(cluster as MoRef, esx1)) as MoRef;
  await assert.rejects(center.task(cluster as MoRef, 'Destroy_Task'), fault('InvalidState'));
  await assert.rejects(center.task(datacenter as MoRef, 'Destroy_Task'), fault('ResourceInUse'));
  assert.equal(center.read(host, 'runtime.connectionState'), 'connected');
  for (const vm of esx1.vms.values()) {
    vm.powerState = 'poweredOff';
    esx1.changed(vm);
  }
  await center.task(host, 'EnterMaintenanceMode_Task', { timeout: 0 });
  await center.task(datacenter as MoRef, 'Destroy_Task');
  assert.equal(esx1.managedBy, undefined);
  assert.equal(esx1.vms.size, 1);
  for (const gone of [host, datacenter, cluster]) assert.equal(center.service.graph.find(gone as MoRef), undefined);
});

void test('datastores and networks that hosts have are not destroyed with their folder', async (t) => {
  const center = await testCenter(t);
  const { datacenter, cluster } = await center.cluster();
  await center.addHost(cluster as MoRef, new FakeHost('esx1'));
  for (const kind of ['datastore', 'network']) {
    const folder = center.read<MoRef>(datacenter as MoRef, `${kind}Folder`);
    const inner = await center.invoke<MoRef>(folder, 'CreateFolder', { name: 'inner' });
    const [entity] = center.read<MoRef[]>(cluster as MoRef, kind);
    await center.task(inner, 'MoveIntoFolder_Task', { list: [entity] });
    await assert.rejects(center.task(inner, 'Destroy_Task'), fault('ResourceInUse'));
    assert.deepEqual(center.read(inner, 'childEntity'), [entity]);
  }
});

void test('a distributed switch goes with its folder, also on its hosts', async (t) => {
  const center = await testCenter(t);
  const { datacenter, cluster } = await center.cluster();
  const esx1 = new FakeHost('esx1');
  const host = await center.addHost(cluster as MoRef, esx1);
  const networkFolder = center.read<MoRef>(datacenter as MoRef, 'networkFolder');
  const folder = await center.invoke<MoRef>(networkFolder, 'CreateFolder', { name: 'switches' });
  const member = make('DistributedVirtualSwitchHostMemberConfigSpec', { operation: 'add', host });
  const configSpec = make('VMwareDVSConfigSpec', { name: 'dvs', host: [member] });
  await center.task(folder, 'CreateDVS_Task', { spec: make('DVSCreateSpec', { configSpec }) });
  assert.notEqual(esx1.switches.size, 0);
  await center.task(folder, 'Destroy_Task');
  assert.equal(esx1.switches.size, 0);
  assert.equal(center.service.graph.find(folder), undefined);
});
