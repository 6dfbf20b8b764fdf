import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, moRef, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { NetworkUsers, networksOf } from './network-users.ts';

const [one, two] = [moRef('VirtualMachine', '1'), moRef('VirtualMachine', '2')];

void test('networks are those of the adapters, each once', () => {
  const card = (deviceName: string) =>
    make('VirtualVmxnet3', {
      key: 4000,
      backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName }),
    });
  const device = [card('a'), make('VirtualFloppy', { key: 8000 }), card('b'), card('a')];
  assert.deepEqual(networksOf({ hardware: { device } } as unknown as VirtualMachineConfigInfo), ['a', 'b']);
});

void test('users join and leave networks', () => {
  const users = new NetworkUsers();
  assert.equal(users.set(one, ['a', 'b']), true);
  assert.equal(users.set(two, ['b']), true);
  assert.equal(users.set(two, ['b']), false);
  assert.deepEqual(Object.fromEntries(users.all), { a: [one], b: [one, two] });
  assert.equal(users.set(one, ['a']), true);
  assert.deepEqual(users.all.get('b'), [two]);
  assert.equal(users.set(two, []), true);
  assert.deepEqual(Object.fromEntries(users.all), { a: [one], b: [] });
});
