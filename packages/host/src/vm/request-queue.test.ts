import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moRef } from '@vivarium/vim';
import { fault } from '../testing/faults.ts';
import { RequestQueue } from './request-queue.ts';

/** Work that lasts until it is released. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { run: () => promise, end: resolve, fail: reject };
}

void test('a power operation never waits: it is told which task is in its way', async () => {
  const queue = new RequestQueue();
  const first = work();
  const done = queue.enter({ request: 'powerOn', task: moRef('Task', 't-1') }, first.run);
  for (const request of ['powerOn', 'powerOff', 'reset', 'suspend', 'destroy', 'unregister'] as const) {
    await assert.rejects(
      queue.enter({ request }, () => Promise.resolve()),
      fault('TaskInProgress', { task: { type: 'Task', value: 't-1' } }),
    );
  }
  first.end('done');
  assert.equal(await done, 'done');
  await queue.enter({ request: 'powerOff' }, () => Promise.resolve());
});

void test('other requests wait their turn, in order, whatever becomes of those before them', async () => {
  const queue = new RequestQueue();
  const first = work();
  const order: string[] = [];
  const entered = [queue.enter({ request: 'powerOn' }, first.run).catch(() => order.push('failed'))];
  for (const name of ['a', 'b', 'c']) {
    entered.push(queue.enter({ request: 'reconfigure' }, async () => order.push(name)));
  }
  assert.deepEqual(order, []);
  first.fail(new Error('no'));
  await Promise.all(entered);
  assert.deepEqual(order.toSorted(), ['a', 'b', 'c', 'failed']);
  assert.deepEqual(
    order.filter((name) => name !== 'failed'),
    ['a', 'b', 'c'],
  );
});

void test('a power operation of our own waits as well', async () => {
  const queue = new RequestQueue();
  const first = work();
  const done = queue.enter({ request: 'rebootGuest' }, first.run);
  const again = queue.enter({ request: 'powerOn', waits: true }, () => Promise.resolve('started'));
  first.end('told');
  await done;
  assert.equal(await again, 'started');
});

void test('no more than sixty-four wait', async () => {
  const queue = new RequestQueue();
  const first = work();
  const entered: Promise<unknown>[] = [queue.enter({ request: 'reconfigure' }, first.run)];
  for (let count = 1; count < 64; count++) {
    entered.push(queue.enter({ request: 'reconfigure' }, () => Promise.resolve()));
  }
  await assert.rejects(
    queue.enter({ request: 'reconfigure' }, () => Promise.resolve()),
    fault('TaskInProgress'),
  );
  first.end('done');
  await Promise.all(entered);
});

void test('while something longer holds the VM nobody enters, nor waits', async () => {
  const queue = new RequestQueue();
  const hold = queue.hold(moRef('Task', 'import'));
  for (const request of ['powerOn', 'destroy', 'reconfigure'] as const) {
    await assert.rejects(
      queue.enter({ request }, () => Promise.resolve()),
      fault('TaskInProgress', { task: { type: 'Task', value: 'import' } }),
    );
  }
  hold[Symbol.dispose]();
  assert.equal(await queue.enter({ request: 'powerOn' }, () => Promise.resolve('on')), 'on');
});
