import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Event, type MoRef, make } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { testCenter } from '../testing/test-center.ts';
import { registrationKey } from './expected-vms.ts';

const EVENTS = ['VmInstanceUuidConflictEvent', 'VmInstanceUuidChangedEvent'];

void test('a copy beside its original is a VM of its own, with an instance UUID of its own and events that say so', async (t) => {
  const center = await testCenter(t);
  const { cluster } = await center.cluster();
  const told: Event[] = [];
  center.service.events.onPost((event) => {
    if (EVENTS.includes(event._typeName ?? '')) told.push(event);
  });
  const esx1 = new FakeHost('esx1');
  const original = esx1.addVm({ name: 'web', instanceUuid: 'u' });
  const host = await center.addHost(cluster as MoRef, esx1);
  const copy = esx1.addVm({ name: 'web', instanceUuid: 'u', vmPathName: '[datastore1] copy/web.vmx' });
  await center.eventually(() => told.length === 2);
  const [first, second] = center.read<MoRef<'VirtualMachine'>[]>(host as MoRef, 'vm');
  assert.ok(first && second);
  assert.equal(center.read(second as MoRef, 'name'), 'web (1)');
  assert.equal(original.instanceUuid, 'u');
  assert.notEqual(copy.instanceUuid, 'u');
  assert.deepEqual(
    told.map(({ _typeName, vm }) => [_typeName, vm?.vm.value]),
    EVENTS.map((type) => [type, second.value]),
  );
  await center.eventually(() => center.center.vms.withUuid(copy.instanceUuid)?.[0].value === second.value);
  assert.equal(center.center.vms.withUuid('u')?.[0].value, first.value);
});

void test('a VM that is registered is shown at once, though another one has its instance UUID', async (t) => {
  const center = await testCenter(t);
  const { datacenter, cluster } = await center.cluster();
  const esx1 = new FakeHost('esx1');
  esx1.addVm({ name: 'web', instanceUuid: 'u' });
  const host = await center.addHost(cluster as MoRef, esx1);
  const vmFolder = center.read<MoRef>(datacenter as MoRef, 'vmFolder');
  const files = make('VirtualMachineFileInfo', { vmPathName: '[datastore1]' });
  const config = make('VirtualMachineConfigSpec', { name: 'db', instanceUuid: 'u', files });
  const made = await center.task<MoRef>(vmFolder, 'CreateVM_Task', {
    config,
    pool: center.read(cluster as MoRef, 'resourcePool'),
    host,
  });
  assert.equal(center.read(made, 'name'), 'db');
  assert.deepEqual(center.read(made, 'parent'), vmFolder);
});

void test('a VM that is registered is where it was to be, though somebody else expects one with its instance UUID', async (t) => {
  const center = await testCenter(t);
  const { datacenter, cluster } = await center.cluster();
  const esx1 = new FakeHost('esx1');
  const host = await center.addHost(cluster as MoRef, esx1);
  const vmFolder = center.read<MoRef<'Folder'>>(datacenter as MoRef, 'vmFolder');
  const other = await center.invoke<MoRef<'Folder'>>(vmFolder as MoRef, 'CreateFolder', { name: 'other' });
  const resourcePool = center.read<MoRef<'ResourcePool'>>(cluster as MoRef, 'resourcePool');
  await center.center.expected.expect('u', { folder: other, resourcePool });
  const key = registrationKey(host, ' [datastore1]web//web.vmx');
  await center.center.expected.expect(key, { folder: vmFolder, resourcePool });
  esx1.addVm({ name: 'web', instanceUuid: 'u' });
  await center.eventually(() => center.read<MoRef[]>(host as MoRef, 'vm').length === 1);
  const [vm] = center.read<MoRef[]>(host as MoRef, 'vm') as [MoRef];
  assert.deepEqual(center.read(vm, 'parent'), vmFolder);
});

void test('a VM whose host cannot read it keeps its name, its place and its identity', async (t) => {
  const center = await testCenter(t);
  const { cluster } = await center.cluster();
  const esx1 = new FakeHost('esx1');
  const web = esx1.addVm({ name: 'web' });
  const host = await center.addHost(cluster as MoRef, esx1);
  const [vm] = center.read<MoRef[]>(host as MoRef, 'vm') as [MoRef];
  esx1.tell({
    kind: 'modify',
    ref: web.ref,
    changes: [
      { name: 'config', value: undefined },
      { name: 'name', value: web.vmPathName },
    ],
  });
  await center.until(vm, 'config', undefined);
  assert.equal(center.read(vm, 'name'), 'web');
  assert.equal(center.center.vms.withUuid(web.instanceUuid)?.[0].value, vm.value);
});
