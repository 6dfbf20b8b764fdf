import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MoRef, moRef } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { fault, testCenter } from '../testing/test-center.ts';
import { screenOf } from './screen.ts';

void test('a picture of a screen is made by the host that runs the VM', async (context) => {
  const center = await testCenter(context);
  const { cluster } = await center.cluster();
  const host = new FakeHost('esx1');
  const local = host.addVm({ name: 'web' });
  const ref = await center.addHost(cluster as MoRef, host);
  const [found] = center.read<MoRef[]>(ref as MoRef, 'vm');
  const vm = moRef('VirtualMachine', found?.value ?? '');
  await assert.rejects(screenOf(center.center, vm), fault('InvalidPowerState'));
  await center.task(vm as MoRef, 'PowerOnVM_Task');
  assert.equal(String(await screenOf(center.center, vm)), local.ref.value);
  host.isReachable = false;
  await assert.rejects(screenOf(center.center, vm), fault('HostCommunication'));
});
