import assert from 'node:assert/strict';
import { test } from 'node:test';
import { migrate, openStore } from '@vivarium/store';
import { moRef } from '@vivarium/vim';
import { migrations } from '../schema.ts';

void test('members that were kept as whole objects are kept in few words', async () => {
  const store = await openStore('memory:');
  const host = moRef('HostSystem', 'host-7');
  const backing = {
    _typeName: 'DistributedVirtualSwitchHostMemberPnicBacking',
    pnicSpec: [{ _typeName: 'DistributedVirtualSwitchHostMemberPnicSpec', pnicDevice: 'vmnic1' }],
  };
  const config = { _typeName: 'DistributedVirtualSwitchHostMemberConfigInfo', host, maxProxySwitchPorts: 512, backing };
  const member = { _typeName: 'DistributedVirtualSwitchHostMember', status: 'up', uplinkPortKey: ['0'], config };
  const before = { name: 'DVS0', config: { uuid: '50', host: [member] }, portgroups: [], lastPort: 1 };
  const key = 'inventory/entity/VmwareDistributedVirtualSwitch:dvs-9';
  const other = { name: 'VM Network' };
  await store.batch([
    { put: key, value: before },
    { put: 'inventory/entity/Network:network-1', value: other },
  ]);
  await migrate(store, migrations);
  const members = [{ host, maxProxySwitchPorts: 512, pnics: ['vmnic1'] }];
  assert.deepEqual(store.get(key)?.value, { ...before, config: { uuid: '50' }, members });
  assert.deepEqual(store.get('inventory/entity/Network:network-1')?.value, other);
  await store.close();
});
