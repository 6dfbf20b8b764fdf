import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSubnet, type Subnet } from '../services/subnet.ts';
import { obstacleOf, withNames } from './physical-adapter.ts';

const subnet = (text: string): Subnet => parseSubnet(text) ?? assert.fail(text);
const address = (device: string, cidr: string) => ({
  device,
  mac: '52:54:00:00:00:01',
  address: cidr.split('/')[0] ?? '',
  netmask: '255.255.255.0',
  prefixLength: 24,
  subnet: subnet(cidr),
});
const MACHINE = {
  addresses: [address('eth0', '192.0.2.7/24'), address('eth1', '198.51.100.7/24')],
  addresses6: [{ device: 'eth3', address: '2001:db8::7' }],
  routes: [
    { device: 'eth0', destination: { base: 0, prefixLength: 0 }, gateway: '192.0.2.1', metric: 0 },
    { device: 'eth0', destination: subnet('192.0.2.0/24'), metric: 0 },
    { device: 'eth1', destination: subnet('198.51.100.0/24'), metric: 0 },
  ],
};
const free = (device: string, usedBy: readonly string[] = []) => ({ device, usedBy });

test('the way to the machine is never taken, also when it is named', () => {
  for (const isNamed of [false, true]) assert.match(obstacleOf(free('eth0'), MACHINE, isNamed) ?? '', /default route/);
});

test('an adapter with an address of the machine is taken only when it is named', () => {
  assert.match(obstacleOf(free('eth1'), MACHINE, false) ?? '', /198\.51\.100\.7.*viv up --uplink eth1/);
  assert.match(obstacleOf(free('eth3'), MACHINE, false) ?? '', /2001:db8::7/);
  assert.equal(obstacleOf(free('eth1'), MACHINE, true), undefined);
  assert.equal(obstacleOf(free('eth2'), MACHINE, false), undefined);
});

test('a port of a bridge is the bridge’s', () => {
  assert.match(obstacleOf(free('eth2', ['br0']), MACHINE, true) ?? '', /br0/);
});

test('adapters keep their names when others come', () => {
  assert.deepEqual(withNames([], ['eth0', 'eth1']), ['eth0', 'eth1']);
  assert.deepEqual(withNames(['eth1'], ['eth0', 'eth1']), ['eth1', 'eth0']);
});
