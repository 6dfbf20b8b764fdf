import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, moRef } from '@vivarium/vim';
import { mergeAutoStart, planAutoStart } from './plan-auto-start.ts';

const entry = (vm: string, startOrder: number, more: { startAction?: string; startDelay?: number } = {}) =>
  make('AutoStartPowerInfo', {
    key: moRef('VirtualMachine', vm),
    startOrder,
    startDelay: -1,
    waitForHeartbeat: 'systemDefault',
    startAction: 'powerOn',
    stopDelay: -1,
    stopAction: 'systemDefault',
    ...more,
  });

const enabled = { defaults: { enabled: true, startDelay: 5 } };

void test('nothing starts while autostart is off', () => {
  assert.deepEqual(planAutoStart({ powerInfo: [entry('1', 1)] }), []);
});

void test('VMs start in their order, those without one last, those with another action never', () => {
  const powerInfo = [
    entry('9', -1),
    entry('2', 2, { startDelay: 0 }),
    entry('1', 1),
    entry('3', 3, { startAction: 'none' }),
  ];
  assert.deepEqual(planAutoStart({ ...enabled, powerInfo }), [
    { vm: '1', delaySeconds: 5 },
    { vm: '2', delaySeconds: 0 },
    { vm: '9', delaySeconds: 5 },
  ]);
});

void test('a change keeps what it does not name', () => {
  const merged = mergeAutoStart({ ...enabled, powerInfo: [entry('1', 1)] }, { powerInfo: [entry('2', 1)] });
  assert.equal(merged.defaults?.enabled, true);
  assert.deepEqual(
    merged.powerInfo?.map(({ key }) => key.value),
    ['1', '2'],
  );
  const again = mergeAutoStart(merged, { defaults: { enabled: false }, powerInfo: [entry('1', 7)] });
  assert.deepEqual(planAutoStart(again), []);
  assert.equal(again.powerInfo?.[0]?.startOrder, 7);
});
