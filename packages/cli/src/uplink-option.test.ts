import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from './state.ts';
import { parseUplink, withUplinks } from './uplink-option.ts';

const HOSTS = [
  { name: 'esx1', port: 1 },
  { name: 'esx2', port: 2, uplinks: ['eth1'] },
];

test('an uplink is a device, of a host that may be named', () => {
  assert.deepEqual(parseUplink('eth1'), [{ device: 'eth1' }]);
  assert.deepEqual(parseUplink('esx2=enp3s0'), [{ host: 'esx2', device: 'enp3s0' }]);
  assert.deepEqual(parseUplink('none'), []);
  for (const text of ['', 'a=b=c', '../eth0', 'a-name-that-is-too-long'])
    assert.throws(() => parseUplink(text), UserError);
});

test('hosts have the devices that are named, or those that they had', () => {
  assert.deepEqual(withUplinks(HOSTS, undefined), HOSTS);
  assert.deepEqual(
    withUplinks(HOSTS, [{ host: 'esx1', device: 'eth2' }]).map(({ uplinks }) => uplinks),
    [['eth2'], undefined],
  );
  assert.deepEqual(
    withUplinks(HOSTS.slice(0, 1), [{ device: 'eth2' }, { device: 'eth3' }]).map(({ uplinks }) => uplinks),
    [['eth2', 'eth3']],
  );
});

test('whose a device is must be clear', () => {
  assert.throws(() => withUplinks(HOSTS, [{ device: 'eth2' }]), /any host's/);
  assert.throws(() => withUplinks(HOSTS, [{ host: 'esx3', device: 'eth2' }]), /no host esx3/);
  const twice = ['esx1', 'esx2'].map((host) => ({ host, device: 'eth2' }));
  assert.throws(() => withUplinks(HOSTS, twice), /named twice/);
});
