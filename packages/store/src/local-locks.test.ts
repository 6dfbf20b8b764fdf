import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeaseLost } from './errors.ts';
import { openMemoryStore } from './index.ts';
import { HandClock } from './testing/hand-clock.ts';

void test('a holder that renews keeps its lock, however the wall clock jumps', async () => {
  const clock = new HandClock();
  const store = openMemoryStore({ clock });
  const lease = await store.lock('leader', { ttlMs: 3_000 });
  const waiting = store.lock('leader');
  for (const jump of [1e12, -1e12, 5e11]) {
    clock.wall += jump;
    clock.run(10_000);
    assert.ok(lease.isHeld);
  }
  await store.guard(lease).batch([{ put: 'a', value: 1 }]);
  await lease.release();
  assert.ok((await waiting).isHeld);
  await store.close();
});

void test('a holder that stands still for its time to live is followed by the next', async () => {
  const clock = new HandClock();
  const store = openMemoryStore({ clock });
  const lease = await store.lock('leader', { ttlMs: 3_000 });
  clock.stall(2_900);
  assert.ok(lease.isHeld);
  clock.stall(200);
  assert.equal(lease.isHeld, false);
  assert.equal(lease.signal.aborted, false);
  const next = await store.lock('leader', { wait: false });
  assert.ok(next.fence > lease.fence);
  assert.ok(lease.signal.reason instanceof LeaseLost);
  await assert.rejects(store.guard(lease).batch([{ put: 'a', value: 1 }]), LeaseLost);
  await store.close();
});

void test('a holder that stood still goes on when nobody else wanted the lock', async () => {
  const clock = new HandClock();
  const store = openMemoryStore({ clock });
  const lease = await store.lock('leader', { ttlMs: 3_000 });
  clock.stall(60_000);
  assert.equal(lease.isHeld, false);
  clock.run(1);
  assert.ok(lease.isHeld);
  await store.guard(lease).batch([{ put: 'a', value: 1 }]);
  await store.close();
});

void test('who waits gets the lock when the holder stops renewing', async () => {
  const clock = new HandClock();
  const store = openMemoryStore({ clock });
  const lease = await store.lock('leader', { ttlMs: 3_000 });
  const waiting = store.lock('leader', { ttlMs: 3_000 });
  await Promise.resolve();
  clock.run(2_000);
  assert.ok(lease.isHeld);
  clock.stall(5_000);
  await store.batch([]);
  const third = store.lock('leader', { wait: false });
  await assert.rejects(third, /is held/);
  assert.ok((await waiting).fence > lease.fence);
  await store.close();
});

void test('a lock that is passed on in the turn in which the next one gives up is not lost', async () => {
  const store = openMemoryStore({ clock: new HandClock() });
  const lease = await store.lock('leader');
  const giving = new AbortController();
  const waiting = store.lock('leader', { signal: giving.signal });
  await Promise.resolve();
  giving.abort(new Error('no patience'));
  await Promise.all([lease.release(), assert.rejects(waiting, /no patience/)]);
  assert.ok((await store.lock('leader', { wait: false })).isHeld);
  await store.close();
});
