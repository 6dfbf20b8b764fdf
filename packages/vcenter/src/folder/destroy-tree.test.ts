import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '@vivarium/store';
import { type MoRef, make } from '@vivarium/vim';
import type { InventoryOp } from '../inventory/inventory.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, type TestCenter, testCenter } from '../testing/test-center.ts';

const FOLDERS = 10_000;
const VMS = 1500;

/**
 * More than a store takes at once, whose limits are etcd's whatever engine it is: a datacenter of two hosts with VMs, and of very many folders, in each other and beside each other.
 */
async function largeTree(center: TestCenter) {
  const { datacenter, cluster } = await center.cluster();
  const hosts = ['esx1', 'esx2'].map((address) => {
    const host = new FakeHost(address);
    for (let count = 0; count < VMS; count++) host.addVm({ name: `vm${count}` });
    center.dialer.hosts.set(address, host);
    return host;
  });
  for (const host of hosts) {
    const ref = await center.addHost(cluster as MoRef, host);
    await center.task(ref as MoRef, 'EnterMaintenanceMode_Task', { timeout: 0 });
  }
  const { inventory } = center.center;
  let parent = center.read<MoRef<'Folder'>>(datacenter as MoRef, 'networkFolder');
  const root = parent;
  const folders = Array.from({ length: FOLDERS }, (_, at): InventoryOp => {
    if (at % 100 === 0) parent = root;
    const put = inventory.newRef('Folder');
    const record = { name: `folder ${at}`, parent: parent as MoRef, childType: ['Folder'], isFixed: false };
    if (at % 3 === 0) parent = put;
    return { put, record };
  });
  await inventory.exclusively(() => inventory.applySteps(folders.map((op) => ({ ops: [op] }))));
  return { datacenter: datacenter as MoRef, cluster: cluster as MoRef, hosts };
}

/** Whatever a record names is there. */
function assertWhole({ center: { inventory } }: TestCenter): void {
  for (const type of ['Folder', 'Datacenter', 'ClusterComputeResource', 'HostSystem', 'VirtualMachine'] as const) {
    for (const [ref, record] of inventory.ofType(type)) {
      const { parent, ...named } = record as unknown as Record<string, MoRef>;
      if (parent?.value) assert.ok(inventory.find(parent as MoRef<'Folder'>), `${ref.value} is nowhere`);
      for (const name of ['vmFolder', 'hostFolder', 'datastoreFolder', 'networkFolder', 'resourcePool', 'host'])
        if (named[name]) assert.ok(inventory.find(named[name] as MoRef<'Folder'>), `${ref.value} has no ${name}`);
    }
  }
}

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

void test('a datacenter of more than a store takes at once is destroyed; VMs stay on the hosts that leave', async (context) => {
  const center = await testCenter(context);
  const { datacenter, hosts } = await largeTree(center);
  assert.ok(FOLDERS > 4 * limits.operations && 2 * VMS > limits.operations);
  await center.task(datacenter, 'Destroy_Task');
  const left = (it: TestCenter) => Array.from(it.center.inventory.ofType('Folder')).length;
  const rest = [
    'Datacenter',
    'ClusterComputeResource',
    'ResourcePool',
    'HostSystem',
    'VirtualMachine',
    'Network',
  ] as const;
  const again = await center.restart();
  for (const one of [center, again]) {
    assert.equal(left(one), 1, 'the root folder');
    for (const type of rest) assert.deepEqual([...one.center.inventory.ofType(type)], [], type);
  }
  for (const host of hosts) {
    assert.equal(host.vms.size, VMS);
    assert.equal(host.managedBy, undefined);
  }
});

void test('who is killed in the middle finds a smaller tree that is whole, and destroys the rest', async (context) => {
  const center = await testCenter(context);
  const { datacenter } = await largeTree(center);
  const { inventory } = center.center;
  const killed = Promise.withResolvers<TestCenter>();
  let removed = 0;
  inventory.onChange(({ ref, after }) => {
    if ((ref.type as string) === 'Folder' && !after && ++removed === FOLDERS / 2) killed.resolve(center.killed());
  });
  center.task(datacenter, 'Destroy_Task').catch(() => undefined);
  const next = await killed.promise;
  const left = Array.from(next.center.inventory.ofType('Folder')).length;
  assert.ok(left > 5 && left < FOLDERS, `${left} folders`);
  assertWhole(next);
  await next.task(datacenter, 'Destroy_Task');
  assert.equal(Array.from(next.center.inventory.ofType('Folder')).length, 1);
});
