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
const UP = { hasLink: true, isFullDuplex: true };
const SERVICE = { ifname: 'gateway', mac: '00:50:56:60:00:01' };

test('a tap’s name is a device’s name, and known again', () => {
  assert.ok(isTapName(PORT.ifname));
  assert.ok(PORT.ifname.length <= 15);
  assert.notEqual(PORT.ifname, tapName('4212-4001'));
});

test('a switch’s name is used where a device can have it', () => {
  assert.equal(bridgeName('vSwitch0'), 'vSwitch0');
  for (const name of [
    'a switch',
    'x'.repeat(16),
    'uplink',
    'gateway',
    'lo',
    'tap0123456789',
    '../x',
    'ovs-netdev',
    'vmnic0',
  ]) {
    assert.match(bridgeName(name), /^br-[0-9a-f]{10}$/, name);
  }
});

test('a port is read again as it was written', () => {
  const [bridge] = desiredBridges(INITIAL_CONFIGURATION, [PORT], SERVICE, 'netdev');
  const written = bridge?.ports.find(({ name }) => name === PORT.ifname);
  const current = { uuid: '', bridge: 'vSwitch0', ofport: 1, error: undefined, link: UP };
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
    { uuid: '', name: PORT.ifname, bridge: 'vSwitch0', externalIds: {}, ofport: 5, error: undefined, link: UP },
    { uuid: '', name: 'gateway', bridge: 'vSwitch0', externalIds: {}, ofport: undefined, error: undefined, link: UP },
    { uuid: '', name: 'elsewhere', bridge: 'vSwitch1', externalIds: {}, ofport: 6, error: undefined, link: UP },
  ];
  const { ports, uplinks } = switchPorts(INITIAL_CONFIGURATION, [PORT], SERVICE, current, 'vSwitch0');
  assert.deepEqual(uplinks, []);
  assert.deepEqual(
    ports.map(({ ofport, kind, effectiveMac }) => [ofport, kind, effectiveMac]),
    [[5, 'guest', PORT.effectiveMac]],
  );
});

const [vSwitch0] = INITIAL_CONFIGURATION.switches;
assert.ok(vSwitch0);
const UPLINKED = { ...INITIAL_CONFIGURATION, switches: [{ ...vSwitch0, uplinks: ['vmnic0', 'vmnic1'] }] };

test('a switch with uplinks has those that are there, and serves nobody itself', () => {
  const [bridge] = desiredBridges(UPLINKED, [PORT], SERVICE, 'netdev', new Set(['vmnic1', 'vmnic7']));
  assert.deepEqual(
    bridge?.ports.map(({ name }) => name),
    ['vmnic1', PORT.ifname],
  );
});

test('a port speaks by the uplink of its team that has a link', () => {
  const common = { uuid: '', bridge: 'vSwitch0', externalIds: {}, error: undefined };
  const current = (isUp: boolean) => [
    { ...common, name: PORT.ifname, ofport: 5, link: UP },
    { ...common, name: 'vmnic0', ofport: 2, link: UP },
    { ...common, name: 'vmnic1', ofport: 3, link: { ...UP, hasLink: isUp } },
  ];
  const found = (isUp: boolean) => switchPorts(UPLINKED, [PORT], SERVICE, current(isUp), 'vSwitch0');
  assert.deepEqual(
    found(true).ports.map(({ ofport, uplink }) => [ofport, uplink]),
    [[5, 3]],
  );
  assert.deepEqual(
    found(false).ports.map(({ ofport, uplink }) => [ofport, uplink]),
    [[5, 2]],
  );
  assert.deepEqual(found(false).uplinks, [2, 3]);
});
