import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, make } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { everythingOf } from '../testing/fake-host-said.ts';
import { fault, type TestCenter, testCenter } from '../testing/test-center.ts';

async function sharing(center: TestCenter) {
  const { datacenter, cluster } = await center.cluster();
  const datastores = { nfs: 'ds:///vmfs/volumes/nfs/' };
  const [esx1, esx2] = [new FakeHost('esx1', { datastores }), new FakeHost('esx2', { datastores })];
  esx2.addVm({ name: 'web', vmPathName: '[nfs] web/web.vmx' });
  for (const host of [esx1, esx2]) await center.addHost(cluster as MoRef, host);
  const [datastore] = center.read<MoRef[]>(cluster as MoRef, 'datastore') as [MoRef];
  const folder = center.read<MoRef>(datacenter as MoRef, 'datastoreFolder');
  const [vm] = center.read<MoRef[]>(datastore, 'vm') as [MoRef];
  return { datacenter, cluster, datastore, folder, esx1, vm };
}

void test('a datastore is renamed here, and whatever lies on it shows that', async (t) => {
  const center = await testCenter(t);
  const { datastore, vm, datacenter, cluster, esx1 } = await sharing(center);
  await center.task(datastore, 'Rename_Task', { newName: 'gold' });
  assert.equal(center.read(datastore, 'name'), 'gold');
  assert.equal(center.read(datastore, 'summary.name'), 'gold');
  assert.equal(center.read(vm, 'config.files.vmPathName'), '[gold] web/web.vmx');
  await center.invoke(datastore, 'RenameDatastore', { newName: 'silver' });
  assert.equal(center.read(vm, 'summary.config.vmPathName'), '[silver] web/web.vmx');
  const files = make('VirtualMachineFileInfo', { vmPathName: '[silver]' });
  const made = await center.task<MoRef>(center.read(datacenter as MoRef, 'vmFolder'), 'CreateVM_Task', {
    config: make('VirtualMachineConfigSpec', { name: 'db', files }),
    pool: center.read(cluster as MoRef, 'resourcePool'),
  });
  assert.equal(center.read(made, 'config.files.vmPathName'), '[silver] db/db.vmx');
  const later = await center.restart();
  await later.until(vm, 'config.files.vmPathName', '[silver] web/web.vmx');
  assert.deepEqual([...esx1.datastores.keys()], ['nfs']);
});

void test('a datastore that is renamed on its host is renamed here, if it was called as the host called it', async (t) => {
  const center = await testCenter(t);
  const { cluster } = await center.cluster();
  const hosts = [new FakeHost('esx1'), new FakeHost('esx2')] as const;
  for (const host of hosts) await center.addHost(cluster as MoRef, host);
  const names = () => center.read<MoRef[]>(cluster as MoRef, 'datastore').map((ref) => center.read(ref, 'name'));
  const rename = (host: FakeHost, name: string) => {
    const ref = everythingOf(host).find(({ ref: { type } }) => type === 'Datastore')?.ref;
    assert.ok(ref);
    host.tell({ kind: 'modify', ref, changes: [{ name: 'name', value: name }] });
  };
  rename(hosts[0], 'local');
  rename(hosts[1], 'other');
  await center.eventually(() => names().includes('local'));
  assert.deepEqual(names(), ['local', 'datastore1 (1)']);
});

void test('names of datastores are unique in their datacenter, whatever folders they lie in', async (t) => {
  const center = await testCenter(t);
  const { cluster, datastore, folder } = await sharing(center);
  const inner = await center.invoke<MoRef>(folder, 'CreateFolder', { name: 'inner' });
  await center.task(inner, 'MoveIntoFolder_Task', { list: [datastore] });
  await center.addHost(cluster as MoRef, new FakeHost('esx3', { datastores: { nfs: 'ds:///vmfs/volumes/other/' } }));
  const all = center.read<MoRef[]>(cluster as MoRef, 'datastore');
  assert.deepEqual(
    all.map((ref) => center.read(ref, 'name')),
    ['nfs', 'nfs (1)'],
  );
  await assert.rejects(center.task(all[1] as MoRef, 'Rename_Task', { newName: 'nfs' }), fault('DuplicateName'));
  await assert.rejects(center.task(all[1] as MoRef, 'Rename_Task', { newName: '' }), fault('InvalidName'));
});

void test('a network whose name something else has in the folder gets another one, and keeps it', async (t) => {
  const center = await testCenter(t);
  const { datacenter, cluster } = await center.cluster();
  const folder = center.read<MoRef>(datacenter as MoRef, 'networkFolder');
  await center.invoke(folder, 'CreateFolder', { name: 'VM Network' });
  const esx1 = new FakeHost('esx1');
  await center.addHost(cluster as MoRef, esx1);
  const names = () => center.read<MoRef[]>(folder, 'childEntity').map((ref) => center.read(ref, 'name'));
  assert.deepEqual(names(), ['VM Network', 'VM Network (1)']);
  await center.addHost(cluster as MoRef, new FakeHost('esx2'));
  assert.deepEqual(names(), ['VM Network', 'VM Network (1)']);
});
