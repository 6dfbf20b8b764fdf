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
  clock.run(79);
  await turn();
  assert.equal(leave.length, 8, 'a place rests');
  clock.run(1);
  await turn();
  assert.equal(leave.length, 10);
  clock.run(500);
  await turn();
  assert.equal(leave.length, 16, 'the six that came at first took too long');
  leave[1]?.();
  clock.run(80);
  await turn();
  assert.equal(leave.length, 18, 'and so did the two after them; nobody leaves twice');
});

void test('whoever gives up is out of the line', async () => {
  const { clock, gate, ending, leave, refused } = crowd(10);
  await turn();
  ending.abort();
  await turn();
  assert.deepEqual(refused, [8, 9]);
  await assert.rejects(gate.enter(ending.signal));
  for (const left of leave) left();
  clock.run(80);
  const all = await Promise.all(Array.from({ length: 8 }, () => gate.enter(new AbortController().signal)));
  assert.equal(all.length, 8);
});
