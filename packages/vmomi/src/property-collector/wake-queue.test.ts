import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestClock } from '../testing/test-clock.ts';
import { WakeQueue } from './wake-queue.ts';

/** A queue with so many in line, who are woken in order and have something to tell or not. */
function lineOf(count: number, hasNews: boolean) {
  const clock = new TestClock();
  const deferred: (() => void)[] = [];
  const woken: number[] = [];
  const queue = new WakeQueue((run) => void deferred.push(run), clock);
  for (let index = 0; index < count; index++) {
    queue.push(() => {
      woken.push(index);
      return hasNews;
    });
  }
  /** Turns of the event loop for as long as there is something to do in them. */
  const turns = () => {
    for (let run = deferred.shift(); run; run = deferred.shift()) run();
    return woken.length;
  };
  return { clock, queue, woken, turns };
}

test('few are told at once, and again at once', () => {
  const { queue, turns, woken } = lineOf(5, true);
  assert.equal(turns(), 5);
  queue.push(() => woken.push(5) > 0);
  assert.equal(turns(), 6);
});

test('of many who have something to be told, so many are told in a while, in order', async () => {
  const { clock, queue, turns, woken } = lineOf(1000, true);
  const atOnce = turns();
  assert.ok(atOnce < 200, `${atOnce} at once`);
  await clock.advance(100);
  const soon = turns();
  assert.ok(soon - atOnce >= 576 && soon - atOnce <= 704, `${soon - atOnce} in the time of 640`);
  assert.equal(queue.isBusy, true);
  await clock.advance(100);
  assert.equal(turns(), 1000);
  assert.equal(queue.isBusy, false);
  assert.deepEqual(
    woken,
    Array.from({ length: 1000 }, (_, index) => index),
  );
});

test('who has nothing to be told costs nobody time', () => {
  const { turns } = lineOf(200, false);
  assert.equal(turns(), 200);
});
