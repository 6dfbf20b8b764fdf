import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, type VirtualMachineConfigInfo } from '@vivarium/vim';
import { vncWish } from './vnc-doors.ts';

const config = (options: Readonly<Record<string, string>>) =>
  ({
    extraConfig: Object.entries(options).map(([key, value]) => make('OptionValue', { key, value })),
  }) as unknown as VirtualMachineConfigInfo;

void test('VNC is opened only when it is enabled and has a password', () => {
  const on = { 'RemoteDisplay.vnc.enabled': 'TRUE', 'RemoteDisplay.vnc.port': '5944' };
  assert.equal(vncWish(config({})), undefined);
  assert.equal(vncWish(config(on)), undefined);
  assert.deepEqual(vncWish(config({ ...on, 'RemoteDisplay.vnc.password': 'secret' })), {
    port: 5944,
    password: 'secret',
  });
});

void test('the port is 5900 unless it is named, and a port that is none opens nothing', () => {
  const on = { 'remotedisplay.vnc.enabled': 'true', 'RemoteDisplay.VNC.password': 'x' };
  assert.equal(vncWish(config(on))?.port, 5900);
  assert.equal(vncWish(config({ ...on, 'RemoteDisplay.vnc.port': '99999' })), undefined, 'no such port');
  assert.equal(vncWish(config({ ...on, 'remotedisplay.vnc.enabled': 'FALSE' })), undefined);
});
