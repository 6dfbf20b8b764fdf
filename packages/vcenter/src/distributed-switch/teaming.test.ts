import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault, make } from '@vivarium/vim';
import { changeSettings, defaultSettings, inheritSettings } from './port-settings.ts';
import { changeTeaming, defaultTeaming, renameUplinks } from './teaming.ts';

const order = (teaming: ReturnType<typeof changeTeaming>) => [
  teaming?.uplinkPortOrder?.activeUplinkPort,
  teaming?.uplinkPortOrder?.standbyUplinkPort,
];

void test('a new switch spreads its ports over all of its uplinks', () => {
  assert.deepEqual(order(defaultSettings(['left', 'right']).uplinkTeamingPolicy), [['left', 'right'], []]);
});

void test('what a change leaves out stays, and an order that names no uplink changes none', () => {
  const changed = changeTeaming(
    defaultTeaming(['left', 'right']),
    make('VmwareUplinkPortTeamingPolicy', {
      inherited: false,
      policy: make('StringPolicy', { inherited: false, value: 'failover_explicit' }),
      uplinkPortOrder: make('VMwareUplinkPortOrderPolicy', { inherited: false }),
    }),
  );
  assert.equal(changed?.policy?.value, 'failover_explicit');
  assert.equal(changed?.notifySwitches?.value, true);
  assert.deepEqual(order(changed), [['left', 'right'], []]);
});

void test('an order that names uplinks is taken whole', () => {
  const uplinkPortOrder = make('VMwareUplinkPortOrderPolicy', {
    inherited: false,
    activeUplinkPort: ['right'],
    standbyUplinkPort: ['left'],
  });
  const spec = make('VmwareUplinkPortTeamingPolicy', { inherited: false, uplinkPortOrder });
  assert.deepEqual(order(changeTeaming(defaultTeaming(['left', 'right']), spec)), [['right'], ['left']]);
});

void test('uplinks with new names keep their places; a new one is active, one that is gone is not', () => {
  const former = { ...defaultTeaming(['a', 'b', 'c']) };
  const withStandby = changeTeaming(
    former,
    make('VmwareUplinkPortTeamingPolicy', {
      inherited: false,
      uplinkPortOrder: make('VMwareUplinkPortOrderPolicy', {
        inherited: false,
        activeUplinkPort: ['a', 'c'],
        standbyUplinkPort: ['b'],
      }),
    }),
  );
  assert.ok(withStandby);
  assert.deepEqual(order(renameUplinks(withStandby, ['a', 'b', 'c'], ['x', 'y'])), [['x'], ['y']]);
  assert.deepEqual(order(renameUplinks(withStandby, ['a', 'b', 'c'], ['a', 'b', 'c', 'd'])), [['a', 'c', 'd'], ['b']]);
});

void test('a port group that sets a part of its teaming inherits the rest', () => {
  const own = changeSettings(
    make('VMwareDVSPortSetting', {}),
    make('VMwareDVSPortSetting', {
      uplinkTeamingPolicy: make('VmwareUplinkPortTeamingPolicy', {
        inherited: false,
        notifySwitches: make('BoolPolicy', { inherited: false, value: false }),
      }),
    }),
  );
  const { uplinkTeamingPolicy } = inheritSettings(own, defaultSettings(['left']));
  assert.equal(uplinkTeamingPolicy?.notifySwitches?.value, false);
  assert.equal(uplinkTeamingPolicy?.policy?.value, 'loadbalance_srcid');
  assert.deepEqual(order(uplinkTeamingPolicy), [['left'], []]);
  assert.equal(uplinkTeamingPolicy?.uplinkPortOrder?.inherited, true);
});

void test('teaming that hosts do not carry out is refused', () => {
  const is = (value: boolean) => make('BoolPolicy', { inherited: false, value });
  const criteria = make('DVSFailureCriteria', { inherited: false, checkBeacon: is(true) });
  for (const asked of [
    { policy: make('StringPolicy', { inherited: false, value: 'loadbalance_ip' }) },
    { rollingOrder: is(true) },
    { failureCriteria: criteria },
  ]) {
    const spec = make('VmwareUplinkPortTeamingPolicy', { inherited: false, ...asked });
    assert.throws(
      () => changeTeaming(defaultTeaming(['left']), spec),
      (error) => isFault(error, 'NotSupported'),
    );
  }
});
