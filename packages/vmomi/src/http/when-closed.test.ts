import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { whenClosed } from './when-closed.ts';

void test('who waits for the end of a connection is told once; who took it back is not', async () => {
  const socket = new Socket();
  const told: string[] = [];
  whenClosed(socket, () => told.push('first'));
  whenClosed(socket, () => told.push('second'))();
  const takeBack = whenClosed(socket, () => told.push('third'));
  assert.equal(socket.listenerCount('close'), 1);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await closed;
  assert.deepEqual(told, ['first', 'third']);
  takeBack();
});

void test('of a connection that has ended one is told at once', () => {
  const socket = new Socket();
  socket.destroy();
  let told = 0;
  whenClosed(socket, () => (told += 1))();
  assert.equal(told, 1);
});
