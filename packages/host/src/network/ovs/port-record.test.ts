import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL_CONFIGURATION } from '../configuration.ts';
import {
  bridgeName,
  desiredBridges,
  isTapName,
  type PortRecord,
  parsePort,
  switchPorts,
  tapName,
} from './port-record.ts';

const PORT: PortRecord = {
  portKey: '4212-4000',
  mac: '00:50:56:00:00:01',
  effectiveMac: '00:50:56:00:00:02',
  portGroup: 'VM Network',
  vmName: 'a',
  ifname: tapName('4212-4000'),
};
const SERVICE = { ifname: 'gateway', mac: '00:50:56:60:00:01' };

test('a tap’s name is a device’s name, and known again', () => {
  assert.ok(isTapName(PORT.ifname));
  assert.ok(PORT.ifname.length <= 15);
  assert.notEqual(PORT.ifname, tapName('4212-4001'));
});

test('a switch’s name is used where a device can have it', () => {
  assert.equal(bridgeName('vSwitch0'), 'vSwitch0');
  for (const name of ['a switch', 'x'.repeat(16), 'uplink', 'gateway', 'lo', 'tap0123456789', '../x', 'ovs-netdev']) {
    assert.match(bridgeName(name), /^br-[0-9a-f]{10}$/, name);
  }
});

test('a port is read again as it was written', () => {
  const [bridge] = desiredBridges(INITIAL_CONFIGURATION, [PORT], SERVICE, 'netdev');
  const written = bridge?.ports.find(({ name }) => name === PORT.ifname);
  const current = { uuid: '', bridge: 'vSwitch0', ofport: 1, error: undefined };
  assert.ok(written);
  assert.deepEqual(parsePort({ ...current, name: written.name, externalIds: written.externalIds }), PORT);
  assert.equal(parsePort({ ...current, name: 'other', externalIds: {} }), undefined);
});

test('ports of a port group that is gone hang in the air', () => {
  const [bridge] = desiredBridges({ ...INITIAL_CONFIGURATION, portGroups: [] }, [PORT], SERVICE, 'netdev');
  assert.deepEqual(bridge?.ports, []);
});

test('flows are made for ports that the switch has numbered', () => {
  const current = [
    { uuid: '', name: PORT.ifname, bridge: 'vSwitch0', externalIds: {}, ofport: 5, error: undefined },
    { uuid: '', name: 'gateway', bridge: 'vSwitch0', externalIds: {}, ofport: undefined, error: undefined },
    { uuid: '', name: 'elsewhere', bridge: 'vSwitch1', externalIds: {}, ofport: 6, error: undefined },
  ];
  const ports = switchPorts(INITIAL_CONFIGURATION, [PORT], SERVICE, current, 'vSwitch0');
  assert.deepEqual(
    ports.map(({ ofport, kind, effectiveMac }) => [ofport, kind, effectiveMac]),
    [[5, 'guest', PORT.effectiveMac]],
  );
});
