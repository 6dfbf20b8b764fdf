import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MoRef } from '@vivarium/vim';
import { FakeHost } from '../testing/fake-host.ts';
import { testCenter } from '../testing/test-center.ts';

void test('a VM that is unregistered has left the inventory when that is answered, and may come back at once', async (t) => {
  const center = await testCenter(t);
  const { cluster } = await center.cluster();
  const esx1 = new FakeHost('esx1');
  esx1.addVm({ name: 'web' });
  const host = (await center.addHost(cluster as MoRef, esx1)) as MoRef;
  const [vm] = center.read<MoRef[]>(host, 'vm') as [MoRef];
  await center.invoke(vm, 'UnregisterVM');
  assert.equal(center.service.graph.find(vm), undefined);
  assert.deepEqual(center.read(host, 'vm'), []);
});
