import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostNicTeamingPolicy, isFault, make } from '@vivarium/vim';
import { effectiveTeaming, INITIAL_CONFIGURATION as INITIAL, switchTeaming } from '../network/configuration.ts';
import { addPortGroup, addVirtualSwitch, removeVirtualSwitch, updateVirtualSwitch } from './change-configuration.ts';

const CARRIES = 'eth2 carries the address 192.0.2.7 of this machine';
const ADAPTERS = [{ name: 'vmnic0' }, { name: 'vmnic1' }, { name: 'vmnic2', obstacle: CARRIES }];

function spec(nics: readonly string[], teaming: Partial<HostNicTeamingPolicy> = {}) {
  return make('HostVirtualSwitchSpec', {
    numPorts: 128,
    bridge: make('HostVirtualSwitchBondBridge', { nicDevice: [...nics] }),
    policy: make('HostNetworkPolicy', { nicTeaming: make('HostNicTeamingPolicy', teaming) }),
  });
}
const order = (activeNic: string[], standbyNic: string[] = []) => ({
  nicOrder: make('HostNicOrderPolicy', { activeNic, standbyNic }),
});
const add = (...args: Parameters<typeof spec>) => addVirtualSwitch(INITIAL, 'x', spec(...args), ADAPTERS);
const teamingOf = (configuration: typeof INITIAL) => switchTeaming(configuration.switches.at(-1) ?? assert.fail());

function refuses(fault: Parameters<typeof isFault>[1], change: () => unknown, words = /./) {
  assert.throws(change, (error: unknown) => isFault(error, fault) && words.test(error.message));
}

test('the uplinks of a new switch are all active', () => {
  const made = add(['vmnic1', 'vmnic0']);
  assert.deepEqual(made.switches.at(-1)?.uplinks, ['vmnic1', 'vmnic0']);
  assert.deepEqual(teamingOf(made), { policy: 'loadbalance_srcid', active: ['vmnic1', 'vmnic0'], standby: [] });
});

test('an uplink is an adapter that there is, that is free, and that the machine can do without', () => {
  refuses('NotFound', () => add(['vmnic9']), /vmnic9/);
  refuses('ResourceInUse', () => add(['vmnic2']), /192\.0\.2\.7/);
  refuses('InvalidArgument', () => add(['vmnic0', 'vmnic0']));
  const made = add(['vmnic0']);
  refuses('ResourceInUse', () => addVirtualSwitch(made, 'y', spec(['vmnic0']), ADAPTERS), /uplink of the switch x/);
  const removed = removeVirtualSwitch(made, 'x', new Set());
  addVirtualSwitch(removed, 'y', spec(['vmnic0']), ADAPTERS);
});

test('a switch keeps an uplink that has become something else’s, and loses those that an update leaves out', () => {
  const made = add(['vmnic0', 'vmnic1'], order(['vmnic0'], ['vmnic1']));
  const gone = [{ name: 'vmnic0', obstacle: CARRIES }];
  const updated = updateVirtualSwitch(made, 'x', spec(['vmnic0']), gone);
  assert.deepEqual(teamingOf(updated), { policy: 'loadbalance_srcid', active: ['vmnic0'], standby: [] });
  const bare = updateVirtualSwitch(made, 'x', make('HostVirtualSwitchSpec', { numPorts: 8 }), gone);
  assert.equal(bare.switches.at(-1)?.uplinks, undefined);
});

test('a failover order names uplinks, each once', () => {
  const made = add(['vmnic0', 'vmnic1'], { policy: 'failover_explicit', ...order(['vmnic1'], ['vmnic0']) });
  assert.deepEqual(teamingOf(made), { policy: 'failover_explicit', active: ['vmnic1'], standby: ['vmnic0'] });
  refuses('InvalidArgument', () => add(['vmnic0'], order(['vmnic1'])));
  refuses('InvalidArgument', () => add(['vmnic0'], order(['vmnic0'], ['vmnic0'])));
});

test('a port group decides for itself, with uplinks that its switch still has', () => {
  const policy = make('HostNetworkPolicy', {
    nicTeaming: make('HostNicTeamingPolicy', { policy: 'failover_explicit', ...order(['vmnic1'], ['vmnic0']) }),
  });
  const group = make('HostPortGroupSpec', { name: 'g', vlanId: 0, vswitchName: 'x', policy });
  const made = addPortGroup(add(['vmnic0', 'vmnic1']), group);
  const effective = (configuration: typeof INITIAL) =>
    effectiveTeaming(configuration, configuration.portGroups.at(-1) ?? assert.fail());
  assert.deepEqual(effective(made), { policy: 'failover_explicit', active: ['vmnic1'], standby: ['vmnic0'] });
  const without = updateVirtualSwitch(made, 'x', spec(['vmnic0']), ADAPTERS);
  assert.deepEqual(effective(without), { policy: 'failover_explicit', active: [], standby: ['vmnic0'] });
  refuses('InvalidArgument', () => addPortGroup(INITIAL, { ...group, vswitchName: 'vSwitch0' }));
});

test('teaming that cannot be carried out is refused', () => {
  for (const teaming of [
    { policy: 'loadbalance_ip' },
    { rollingOrder: true },
    { failureCriteria: make('HostNicFailureCriteria', { checkBeacon: true }) },
  ]) {
    refuses('NotSupported', () => add(['vmnic0'], teaming));
  }
});
