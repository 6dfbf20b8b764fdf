import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseLost } from '@vivarium/store';
import { HandClock } from '@vivarium/store/testing';

import { LeaseWatch } from './lease-watch.ts';

/** A lease of 3 s that is renewed by hand. */
function watched() {
  const clock = new HandClock();
  const controller = new AbortController();
  const heard: string[] = [];
  let deadline = clock.monotonic() + 3_000;
  const lease = {
    signal: controller.signal,
    get restMs() {
      return Math.max(0, deadline - clock.monotonic());
    },
  };
  const watch = new LeaseWatch(lease, clock, {
    doubted: () => heard.push('doubted'),
    certain: () => heard.push('certain'),
    deposed: (why) => heard.push(`deposed: ${why}`),
  });
  const renew = () => (deadline = clock.monotonic() + 3_000);
  return { clock, controller, heard, renew, watch };
}

void test('a lease that is renewed in time is never doubted', () => {
  const { clock, heard, renew, watch } = watched();
  for (let turn = 0; turn < 20; turn++) {
    clock.run(2_999);
    assert.ok(watch.isCertain);
    renew();
  }
  assert.deepEqual(heard, []);
});

void test('it is doubted the moment it is not renewed, and certain again when it is', () => {
  const { clock, heard, renew, watch } = watched();
  clock.run(3_000);
  assert.equal(watch.isCertain, false);
  assert.deepEqual(heard, ['doubted']);
  clock.run(5_000);
  renew();
  assert.ok(watch.isCertain);
  clock.run(200);
  assert.deepEqual(heard, ['doubted', 'certain']);
});

void test('who is in doubt for too long is deposed, once', () => {
  const { clock, controller, heard, watch } = watched();
  clock.run(3_000);
  clock.run(10_100);
  assert.deepEqual(heard, ['doubted', 'deposed: its lease could not be renewed']);
  controller.abort(new LeaseLost('gone'));
  clock.run(100_000);
  assert.equal(heard.length, 2);
  assert.equal(watch.isCertain, false);
});

void test('a lease that is lost deposes at once', () => {
  const { controller, heard, watch } = watched();
  controller.abort(new LeaseLost('the lease of vpxd is over'));
  assert.deepEqual(heard, ['deposed: the lease of vpxd is over']);
  assert.equal(watch.isCertain, false);
});

void test('who has stopped hears nothing', () => {
  const { clock, controller, heard, watch } = watched();
  watch.stop();
  controller.abort(new LeaseLost('gone'));
  clock.run(100_000);
  assert.deepEqual(heard, []);
});

void test('who wants to be sure waits until it is certain, or is over', async () => {
  const { clock, renew, watch } = watched();
  await watch.whenCertain();
  clock.run(3_500);
  const waiting = watch.whenCertain();
  renew();
  clock.run(200);
  await waiting;
  clock.run(5_000);
  const inVain = watch.whenCertain();
  watch.stop();
  await assert.rejects(inVain, LeaseLost);
  await assert.rejects(watch.whenCertain(), LeaseLost);
});
