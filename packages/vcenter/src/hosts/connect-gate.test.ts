import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandClock } from '@vivarium/store/testing';
import { ConnectGate } from './connect-gate.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function crowd(count: number) {
  const clock = new HandClock();
  const gate = new ConnectGate(clock);
  const ending = new AbortController();
  const leave: (() => void)[] = [];
  const refused: number[] = [];
  for (let index = 0; index < count; index++) {
    gate.enter(ending.signal).then(
      (left) => (leave[index] = left),
      () => refused.push(index),
    );
  }
  return { clock, gate, ending, leave, refused };
}

void test('of many that want in some are let in, and the next ones when those have left', async () => {
  const { clock, leave } = crowd(20);
  await turn();
  assert.equal(leave.length, 8);
  leave[3]?.();
  leave[3]?.();
  leave[0]?.();
  await turn();
  assert.equal(leave.length, 10);
  clock.run(499);
  leave[9]?.();
  clock.run(1);
  await turn();
  assert.equal(leave.length, 18, 'one has left, and all that came at first took too long');
  leave[1]?.();
  await turn();
  assert.equal(leave.length, 18, 'nobody leaves twice');
});

void test('whoever gives up is out of the line', async () => {
  const { clock, gate, ending, leave, refused } = crowd(10);
  await turn();
  ending.abort();
  await turn();
  assert.deepEqual(refused, [8, 9]);
  await assert.rejects(gate.enter(ending.signal));
  for (const left of leave) left();
  clock.run(500);
  const all = await Promise.all(Array.from({ length: 8 }, () => gate.enter(new AbortController().signal)));
  assert.equal(all.length, 8);
});
