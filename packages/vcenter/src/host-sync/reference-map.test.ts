import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, moRef } from '@vivarium/vim';
import { fault } from '../testing/test-center.ts';
import { ReferenceMap } from './reference-map.ts';

/** A host whose `datastore1` is called `datastore1 (1)` here, as another host's has that name. */
function renamed(): ReferenceMap {
  const refs = new ReferenceMap();
  refs.nameDatastore(moRef('Datastore', 'datastore-9'), 'datastore1', 'datastore1 (1)');
  return refs;
}

void test('blanks do not hide from a path on which datastore it is', () => {
  const refs = renamed();
  for (const text of ['[datastore1 (1)] a', ' [datastore1 (1)] a', '\u00a0[ datastore1 (1)\t] a']) {
    assert.deepEqual(refs.toHost({ vmPathName: text }), { vmPathName: '[datastore1] a' }, text);
  }
  for (const text of ['[datastore1] a', '\n[datastore1] a', '[datastore1 ] a']) {
    assert.throws(() => refs.toHost({ vmPathName: text }), fault('InvalidDatastore'), text);
  }
  const others = { a: ' plain', b: 'é [x] y', c: '[', d: ' ' };
  assert.equal(refs.toHost(others), others);
});

void test('a card is on the network that is called so here', () => {
  const refs = new ReferenceMap();
  refs.nameNetworks([
    { hostName: 'net', centerName: 'net (1)' },
    { hostName: 'VLAN 10%2f20', centerName: 'VLAN 10%2f20' },
  ]);
  const card = (deviceName: string) => make('VirtualEthernetCardNetworkBackingInfo', { deviceName });
  assert.deepEqual(refs.toHost(card('net (1)')), card('net'));
  assert.deepEqual(refs.toCenter(card('net')), card('net (1)'));
  assert.throws(() => refs.toHost(card('net')), fault('InvalidDeviceBacking'), 'here that is another one');
  assert.deepEqual(refs.toHost(card('VLAN 10%2f20')), card('VLAN 10/20'));
  assert.deepEqual(refs.toCenter(card('VLAN 10/20')), card('VLAN 10/20'));
  const nic = (network: string) => make('GuestNicInfo', { network, connected: true, deviceConfigId: 4000 });
  assert.deepEqual(refs.toCenter(nic('net')), nic('net (1)'));
});

void test('nobody names what carries a distributed port group', () => {
  const refs = new ReferenceMap();
  refs.set(moRef('Network', 'x'), moRef('DistributedVirtualPortgroup', 'dvportgroup-7'));
  const deviceName = 'dvportgroup-7 50 1e 4b 00 00 00 00 00-00 00 00 00 00 00 00 01';
  const backing = make('VirtualEthernetCardNetworkBackingInfo', { deviceName });
  assert.throws(() => refs.toHost(make('VirtualVmxnet3', { key: -1, backing })), fault('InvalidDeviceBacking'));
});
