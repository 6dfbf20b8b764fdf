import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { networksOf } from './networks-of.ts';

void test('networks are those of the adapters, each once', () => {
  const card = (deviceName: string) =>
    make('VirtualVmxnet3', {
      key: 4000,
      backing: make('VirtualEthernetCardNetworkBackingInfo', { deviceName }),
    });
  const device = [card('a'), make('VirtualFloppy', { key: 8000 }), card('b'), card('a')];
  assert.deepEqual(networksOf({ hardware: { device } } as unknown as VirtualMachineConfigInfo), ['a', 'b']);
});
