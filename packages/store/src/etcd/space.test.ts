import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock } from '../testing/hand-clock.ts';
import { methods } from './etcd-client.ts';
import { ALARM_GET } from './messages.ts';
import { Space } from './space.ts';

const FIVE_MINUTES = 5 * 60_000;

/** Says what it was asked. */
function recorder() {
  const asked: string[] = [];
  const answer = (method: { readonly path: string }, request: object, member?: number) => {
    const name = method.path.split('/')[2];
    asked.push([name, ...Object.values(request), ...(member === undefined ? [] : [`member ${member}`])].join(' '));
    const isAlarms = method.path === methods.alarm.path && 'action' in request && request.action === ALARM_GET;
    return Promise.resolve((isAlarms ? { alarms: [{ memberId: 7n, alarm: 1 }] } : {}) as never);
  };
  return {
    asked,
    client: {
      memberCount: 3,
      call: (method: { readonly path: string }, request: object) => answer(method, request),
      attempt: (method: { readonly path: string }, request: object, options: { readonly member?: number } = {}) =>
        answer(method, request, options.member),
    },
  };
}

void test('revisions older than a few minutes are compacted, by a store that writes', async () => {
  const clock = new HandClock();
  const { asked, client } = recorder();
  const state = { revision: 100, transactions: 0 };
  const space = new Space(
    client,
    clock,
    () => state.revision,
    () => state.transactions,
  );
  const passes = async () => {
    clock.run(FIVE_MINUTES);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await passes();
  state.revision = 200;
  await passes();
  assert.deepEqual(asked, []); // it has not written
  state.transactions = 5;
  state.revision = 300;
  await passes();
  assert.deepEqual(asked, ['Compact 200']);
  state.revision = 400;
  await passes();
  assert.equal(asked.length, 1); // nothing more was written
  state.transactions = 6;
  await passes();
  assert.deepEqual(asked, ['Compact 200', 'Compact 400']);
  await space.close();
  await passes();
  assert.equal(asked.length, 2);
});

void test('room is made by compacting, defragmenting one member after the other, and taking the alarm back', async () => {
  const clock = new HandClock();
  const { asked, client } = recorder();
  const space = new Space(
    client,
    clock,
    () => 50,
    () => 1,
  );
  space.reclaim();
  space.reclaim();
  await space.close();
  assert.deepEqual(asked, [
    'Compact 50',
    'Defragment member 0',
    'Defragment member 1',
    'Defragment member 2',
    'Alarm 0 1',
    'Alarm 2 7 1',
  ]);
});
