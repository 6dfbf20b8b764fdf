import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, make, moRef } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, testCenter } from '../testing/test-center.ts';

const SHARED = { datastores: { shared: 'ds:///vmfs/volumes/shared/' } };

void test('a VM without a host comes to the one with most left, and to none that cannot take it', async (context) => {
  const center = await testCenter(context);
  const { datacenter, cluster } = await center.cluster();
  const full = new FakeHost('esx1', SHARED);
  for (let index = 0; index < 30; index++)
    full.addVm({ name: `busy-${index}`, vmPathName: `[shared] b${index}/b.vmx` });
  const free = new FakeHost('esx2', SHARED);
  const hosts = [await center.addHost(cluster as MoRef, full), await center.addHost(cluster as MoRef, free)] as const;
  const vmFolder = center.read<MoRef>(datacenter as MoRef, 'vmFolder');
  const pool = center.read<MoRef>(cluster as MoRef, 'resourcePool');
  const create = (name: string, more: object = {}, host?: MoRef) =>
    center.task<MoRef>(vmFolder, 'CreateVM_Task', {
      config: make('VirtualMachineConfigSpec', {
        name,
        memoryMB: 1024,
        files: make('VirtualMachineFileInfo', { vmPathName: '[shared]' }),
        ...more,
      }),
      pool,
      ...(host ? { host } : {}),
    });
  const hostOf = (vm: MoRef) => center.read<MoRef>(moRef('VirtualMachine', vm.value) as MoRef, 'runtime.host').value;
  assert.equal(hostOf(await create('first')), hosts[1].value);
  assert.equal(hostOf(await create('named', {}, hosts[0] as MoRef)), hosts[0].value, 'the one that was named');
  await assert.rejects(
    create('nowhere', { files: make('VirtualMachineFileInfo', { vmPathName: '[no such]' }) }),
    fault('InvalidDatastore'),
  );
  await center.task(hosts[1] as MoRef, 'DisconnectHost_Task');
  assert.equal(hostOf(await create('left')), hosts[0].value, 'the only one that is connected');
  await center.task(hosts[0] as MoRef, 'DisconnectHost_Task');
  await assert.rejects(create('none'), fault('NoCompatibleHost'));
});
