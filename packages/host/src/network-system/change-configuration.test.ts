import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostPortGroupSpec, isFault, make } from '@vivarium/vim';
import { DEFAULT_SECURITY, INITIAL_CONFIGURATION as INITIAL } from '../network/configuration.ts';
import { applyNetworkConfig } from './apply-network-config.ts';
import {
  addPortGroup,
  addVirtualSwitch,
  removePortGroup,
  removeVirtualSwitch,
  updatePortGroup,
  updateVirtualSwitch,
} from './change-configuration.ts';

const NOTHING = new Set<string>();
const policy = make('HostNetworkPolicy', {});
const spec = (more: Partial<HostPortGroupSpec> = {}) =>
  make('HostPortGroupSpec', { name: 'bridge', vlanId: 10, vswitchName: 'vSwitch0', policy, ...more });
const switchSpec = (more = {}) => make('HostVirtualSwitchSpec', { numPorts: 64, ...more });
const bridge = (...nicDevice: string[]) => make('HostVirtualSwitchBondBridge', { nicDevice });

function refuses(fault: Parameters<typeof isFault>[1], change: () => unknown, data: object = {}) {
  assert.throws(change, (error: unknown) => {
    assert.ok(isFault(error, fault), String(error));
    assert.partialDeepStrictEqual(error.fault, data);
    return true;
  });
}

test('a switch is added with ESXi’s defaults', () => {
  const { switches } = addVirtualSwitch(INITIAL, 'vSwitch1', undefined);
  assert.deepEqual(switches[1], { name: 'vSwitch1', mtu: 1500, numPorts: 128, security: DEFAULT_SECURITY });
});

test('a switch is refused with the fault that vSphere has for it', () => {
  refuses('AlreadyExists', () => addVirtualSwitch(INITIAL, 'vSwitch0', undefined), { name: 'vSwitch0' });
  refuses('InvalidArgument', () => addVirtualSwitch(INITIAL, ' ', undefined), { invalidProperty: 'vswitchName' });
  const mtu = () => addVirtualSwitch(INITIAL, 'x', switchSpec({ mtu: 100 }));
  refuses('InvalidArgument', mtu, { invalidProperty: 'spec.mtu' });
  refuses('NotFound', () => addVirtualSwitch(INITIAL, 'x', switchSpec({ bridge: bridge('vmnic0') })));
  addVirtualSwitch(INITIAL, 'x', switchSpec({ bridge: bridge() }));
  refuses('NotFound', () => updateVirtualSwitch(INITIAL, 'x', switchSpec()));
  refuses('NotFound', () => removeVirtualSwitch(INITIAL, 'x', NOTHING));
});

test('a switch’s update changes what it names', () => {
  const security = make('HostNetworkSecurityPolicy', { forgedTransmits: false });
  const update = switchSpec({ mtu: 9000, policy: make('HostNetworkPolicy', { security }) });
  const [updated] = updateVirtualSwitch(INITIAL, 'vSwitch0', update).switches;
  assert.deepEqual(updated, {
    name: 'vSwitch0',
    mtu: 9000,
    numPorts: 64,
    security: { ...DEFAULT_SECURITY, forgedTransmits: false },
  });
});

test('a switch goes with its port groups, unless one is used', () => {
  const two = addPortGroup(addVirtualSwitch(INITIAL, 'vSwitch1', undefined), spec({ vswitchName: 'vSwitch1' }));
  refuses('ResourceInUse', () => removeVirtualSwitch(two, 'vSwitch1', new Set(['bridge'])), { name: 'vSwitch1' });
  assert.deepEqual(removeVirtualSwitch(two, 'vSwitch1', NOTHING), INITIAL);
  refuses('ResourceInUse', () => removeVirtualSwitch(INITIAL, 'vSwitch0', NOTHING)); // vmk0
});

test('a port group is added, and refused with the fault that vSphere has for it', () => {
  const added = addPortGroup(INITIAL, spec());
  assert.deepEqual(added.portGroups.at(-1), { name: 'bridge', vlanId: 10, vswitchName: 'vSwitch0', security: {} });
  refuses('AlreadyExists', () => addPortGroup(added, spec()), { name: 'bridge' });
  refuses('NotFound', () => addPortGroup(INITIAL, spec({ vswitchName: 'vSwitch9' })));
  for (const vlanId of [-1, 4096]) {
    refuses('InvalidArgument', () => addPortGroup(INITIAL, spec({ vlanId })), { invalidProperty: 'portgrp.vlanId' });
  }
  const shaped = make('HostNetworkPolicy', {
    shapingPolicy: make('HostNetworkTrafficShapingPolicy', { enabled: true }),
  });
  refuses('NotSupported', () => addPortGroup(INITIAL, spec({ policy: shaped })));
});

test('a port group that is renamed keeps its part on the host', () => {
  const renamed = updatePortGroup(INITIAL, 'VM Network', spec({ name: 'Guests' }));
  assert.equal(renamed.serviced, 'Guests');
  assert.equal(updatePortGroup(INITIAL, 'Management Network', spec({ name: 'Admin' })).management, 'Admin');
  refuses('AlreadyExists', () => updatePortGroup(INITIAL, 'VM Network', spec({ name: 'Management Network' })));
  refuses('NotFound', () => updatePortGroup(INITIAL, 'no such', spec()));
});

test('a port group in use stays', () => {
  refuses('ResourceInUse', () => removePortGroup(INITIAL, 'VM Network', new Set(['VM Network'])), {
    name: 'VM Network',
  });
  refuses('ResourceInUse', () => removePortGroup(INITIAL, 'Management Network', NOTHING));
  refuses('NotFound', () => removePortGroup(INITIAL, 'no such', NOTHING));
  const { portGroups, serviced } = removePortGroup(INITIAL, 'VM Network', NOTHING);
  assert.deepEqual(
    portGroups.map(({ name }) => name),
    ['Management Network'],
  );
  assert.equal(serviced, undefined);
});

test('many changes in one request are made together', () => {
  const config = make('HostNetworkConfig', {
    vswitch: [make('HostVirtualSwitchConfig', { changeOperation: 'add', name: 'vSwitch1' })],
    portgroup: [
      make('HostPortGroupConfig', { changeOperation: 'add', spec: spec({ vswitchName: 'vSwitch1' }) }),
      make('HostPortGroupConfig', { changeOperation: 'remove', spec: spec({ name: 'VM Network' }) }),
    ],
  });
  const { switches, portGroups } = applyNetworkConfig(INITIAL, config, 'modify', NOTHING);
  assert.deepEqual(
    switches.map(({ name }) => name),
    ['vSwitch0', 'vSwitch1'],
  );
  assert.deepEqual(
    portGroups.map(({ name }) => name),
    ['Management Network', 'bridge'],
  );
  refuses('NotSupported', () => applyNetworkConfig(INITIAL, config, 'replace', NOTHING));
  const dns = make('HostNetworkConfig', {
    dnsConfig: make('HostDnsConfig', { dhcp: false, hostName: 'x', domainName: '' }),
  });
  refuses('NotSupported', () => applyNetworkConfig(INITIAL, dns, 'modify', NOTHING));
  const odd = make('HostNetworkConfig', { vswitch: [make('HostVirtualSwitchConfig', { name: 'vSwitch0' })] });
  refuses('InvalidArgument', () => applyNetworkConfig(INITIAL, odd, 'modify', NOTHING));
});
