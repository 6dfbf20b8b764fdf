import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, make, moRef } from '@vivarium/vim';
import { memberBacking, placePnics, pnicByUplink, requirePlaces, uplinkPortKeys } from './member-uplinks.ts';

const NAMES = ['Uplink 1', 'Uplink 2'];
const KEYS = ['10', '11'];
const pnic = (pnicDevice: string, uplinkPortKey?: string) =>
  make('DistributedVirtualSwitchHostMemberPnicSpec', { pnicDevice, ...(uplinkPortKey ? { uplinkPortKey } : {}) });
const backing = (...pnicSpec: ReturnType<typeof pnic>[]) =>
  make('DistributedVirtualSwitchHostMemberPnicBacking', { pnicSpec });
const member = (...pnics: string[]) => ({ host: moRef('HostSystem', 'host-1'), maxProxySwitchPorts: 512, pnics });
const refuses = (fault: Parameters<typeof isFault>[1], change: () => unknown) =>
  assert.throws(change, (error) => isFault(error, fault));

test('NICs are on the uplinks in their order, or where they are asked for', () => {
  assert.deepEqual(placePnics(backing(pnic('vmnic0'), pnic('vmnic1'))), ['vmnic0', 'vmnic1']);
  assert.deepEqual(placePnics(backing(pnic('vmnic0', '11'), pnic('vmnic1')), [], KEYS), ['vmnic1', 'vmnic0']);
  const second = placePnics(backing(pnic('vmnic0', '11')), [], KEYS);
  assert.deepEqual(Object.fromEntries(pnicByUplink(member(...second), NAMES)), { 'Uplink 2': 'vmnic0' });
});

test('a NIC keeps its uplink when another one comes or goes', () => {
  const former = ['vmnic0', 'vmnic1'];
  assert.deepEqual(placePnics(backing(pnic('vmnic1')), former, KEYS), ['', 'vmnic1']);
  assert.deepEqual(placePnics(backing(pnic('vmnic2'), pnic('vmnic1')), former, KEYS), ['vmnic2', 'vmnic1']);
  assert.deepEqual(placePnics(backing(pnic('vmnic2', '11'), pnic('vmnic1')), former, KEYS), ['vmnic1', 'vmnic2']);
});

test('a NIC twice, a port twice and a port of somebody else are refused', () => {
  refuses('InvalidArgument', () => placePnics(backing(pnic('vmnic0'), pnic('vmnic0'))));
  refuses('InvalidArgument', () => placePnics(backing(pnic('vmnic0', '10'), pnic('vmnic1', '10')), [], KEYS));
  refuses('InvalidArgument', () => placePnics(backing(pnic('vmnic0', '99')), [], KEYS));
});

test('a member has no more NICs than the switch has uplinks', () => {
  requirePlaces(member('vmnic0', 'vmnic1'), NAMES, 'DVS0-DVUplinks-1');
  refuses('ResourceNotAvailable', () => requirePlaces(member('a', 'b', 'c'), NAMES, 'DVS0-DVUplinks-1'));
});

test('clients read which NIC is on which port', () => {
  const keys = uplinkPortKeys([4, 5, 10, 11], 1, 2);
  assert.deepEqual(keys, KEYS);
  const uplinkPortgroupKey = 'dvportgroup-3';
  const shown = memberBacking(member('', 'vmnic1'), keys, moRef('DistributedVirtualPortgroup', uplinkPortgroupKey));
  assert.deepEqual(shown.pnicSpec, [{ ...pnic('vmnic1', '11'), uplinkPortgroupKey }]);
});
