import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { IoErrors } from './io-errors.ts';

const full = { device: 'disk-2001', noSpace: true, reason: 'No space left on device' };

function machine() {
  const told: string[] = [];
  const now = { state: 'running' };
  const errors = new IoErrors({
    state: async () => now.state,
    stoppedBy: ({ device }) => void told.push(device),
  });
  return { told, now, errors };
}

void test('an error stops the machine when QEMU says so, whichever of the two events is first', async () => {
  const { told, now, errors } = machine();
  errors.failed(full);
  await setImmediate();
  assert.deepEqual(told, []);
  now.state = 'io-error';
  errors.stopped();
  await setImmediate();
  assert.deepEqual(told, ['disk-2001']);

  errors.continued();
  errors.stopped();
  await setImmediate();
  assert.deepEqual(told, ['disk-2001']);
  errors.failed(full);
  await setImmediate();
  assert.deepEqual(told, ['disk-2001', 'disk-2001']);
});

void test('an error that is told of when the machine has gone on is over', async () => {
  const { told, now, errors } = machine();
  errors.failed(full);
  await setImmediate();
  now.state = 'paused';
  errors.stopped();
  await setImmediate();
  assert.deepEqual(told, []);
});

void test('what QEMU said before the machine went on is not true after it', async () => {
  const { told, now, errors } = machine();
  now.state = 'io-error';
  errors.failed(full);
  errors.continued();
  await setImmediate();
  assert.deepEqual(told, []);
});
