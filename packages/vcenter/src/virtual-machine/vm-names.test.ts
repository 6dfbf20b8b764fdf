import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, make } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, type TestCenter, testCenter } from '../testing/test-center.ts';

async function twoHosts(center: TestCenter) {
  const { datacenter, cluster } = await center.cluster();
  const hosts = [new FakeHost('esx1'), new FakeHost('esx2')] as const;
  const refs = [await center.addHost(cluster as MoRef, hosts[0]), await center.addHost(cluster as MoRef, hosts[1])];
  const vmFolder = center.read<MoRef>(datacenter as MoRef, 'vmFolder');
  const pool = center.read<MoRef>(cluster as MoRef, 'resourcePool');
  const create = (name: string, index: 0 | 1) => {
    const vmPathName = index === 0 ? '[datastore1]' : '[datastore1 (1)]';
    const config = make('VirtualMachineConfigSpec', { name, files: make('VirtualMachineFileInfo', { vmPathName }) });
    return center.task<MoRef>(vmFolder, 'CreateVM_Task', { config, pool, host: refs[index] });
  };
  return { vmFolder, hosts, create };
}

void test('of two that want a name at once, one gets it', async (t) => {
  const center = await testCenter(t);
  const { vmFolder, create } = await twoHosts(center);
  const made = await Promise.allSettled([create('web', 0), create('web', 1)]);
  assert.deepEqual(made.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  const failed = made.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  assert.ok(fault('DuplicateName')(failed.reason));
  const db = await create('db', 1);
  const renamed = await Promise.allSettled([
    center.task(db, 'Rename_Task', { newName: 'app' }),
    center.invoke(vmFolder, 'CreateFolder', { name: 'app' }),
  ]);
  assert.deepEqual(renamed.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  await create('cache', 0); // nothing is left of what failed
  await assert.rejects(create('cache', 1), fault('DuplicateName'));
});

void test('a VM that had to be called differently here gets its name when that is free', async (t) => {
  const center = await testCenter(t);
  const { vmFolder, hosts } = await twoHosts(center);
  const first = hosts[0].addVm({ name: 'web' });
  const discovered = () => {
    const folder = center.read<MoRef[]>(vmFolder, 'childEntity').find(({ type }) => type === 'Folder');
    return folder ? center.read<MoRef[]>(folder, 'childEntity') : [];
  };
  await center.eventually(() => discovered().length === 1);
  hosts[1].addVm({ name: 'web' });
  await center.eventually(() => discovered().length === 2);
  const [, second] = discovered() as [MoRef, MoRef];
  assert.equal(center.read(second, 'name'), 'web (1)');
  await assert.rejects(center.task(second, 'Rename_Task', { newName: 'web' }), fault('DuplicateName'));
  hosts[0].removeVm(first);
  await center.eventually(() => discovered().length === 1);
  await center.task(second, 'Rename_Task', { newName: 'web' });
  assert.equal(center.read(second, 'name'), 'web');
});
