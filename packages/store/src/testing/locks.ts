// What every engine promises about locks and guarded writes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { LeaseLost, LockHeld } from '../errors.ts';
import type { Item } from '../store.ts';
import { type EngineUnderTest, openIn } from './engine-under-test.ts';

export function testLocks(engine: EngineUnderTest): void {
  const { name } = engine;

  void test(`${name}: one holds a lock at a time, in turn, each with a greater fencing token`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    assert.equal(store.lockHolder('leader'), undefined);
    const first = await store.lock('leader', { holder: { address: 'a' } });
    assert.ok(first.isHeld && first.restMs > 0);
    assert.deepEqual(store.lockHolder('leader'), { fence: first.fence, holder: { address: 'a' } });
    await assert.rejects(store.lock('leader', { wait: false }), LockHeld);
    const order: string[] = [];
    const second = store.lock('leader', { holder: 'b' }).then((lease) => {
      order.push('b');
      return lease;
    });
    const other = await store.lock('another');
    assert.notEqual(other.fence, first.fence);
    await first.release();
    assert.deepEqual([first.isHeld, first.restMs], [false, 0]);
    assert.equal(first.signal.aborted, false);
    const lease = await second;
    assert.ok(lease.fence > first.fence);
    assert.equal(store.lockHolder('leader')?.holder, 'b');
    await lease.release();
    await lease.release();
    const third = await store.lock('leader', { wait: false });
    assert.ok(third.fence > lease.fence);
    assert.deepEqual(order, ['b']);
  });

  void test(`${name}: whoever gives up waiting is out of the line`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const first = await store.lock('leader');
    const controller = new AbortController();
    const gaveUp = store.lock('leader', { signal: controller.signal });
    const third = store.lock('leader', { holder: 'third' });
    controller.abort(new Error('no patience'));
    await assert.rejects(gaveUp, /no patience/);
    await assert.rejects(store.lock('leader', { signal: controller.signal }), /no patience/);
    await first.release();
    assert.ok((await third).isHeld);
    assert.equal(store.lockHolder('leader')?.holder, 'third');
  });

  void test(`${name}: a guarded write is committed only while its lease holds`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const lease = await store.lock('leader');
    const guarded = store.guard(lease);
    await guarded.batch([{ put: 'a', value: 1 }]);
    await guarded.history.append('events', [{ key: 1, timeMs: 1, value: 1 }]);
    assert.equal(guarded.get('a')?.value, 1);
    // In one turn: what was sent before the release may be in or out, what is sent after it is out.
    await lease.release();
    const next = await store.lock('leader');
    await assert.rejects(guarded.batch([{ put: 'a', value: 2 }]), LeaseLost);
    await assert.rejects(guarded.history.append('events', [{ key: 2, timeMs: 2, value: 2 }]), LeaseLost);
    await assert.rejects(guarded.replace(nothing()), LeaseLost);
    assert.equal(store.get('a')?.value, 1);
    assert.equal(store.history.lastKey('events'), 1);
    await store.batch([{ put: 'b', value: 1 }]);
    const [mine, others] = await Promise.allSettled([
      store.guard(next).batch([{ put: 'a', value: 3 }]),
      guarded.batch([{ put: 'a', value: 4 }]),
    ]);
    assert.equal(mine.status, 'fulfilled');
    assert.ok(others.status === 'rejected' && others.reason instanceof LeaseLost);
    assert.equal(store.get('a')?.value, 3);
  });

  void test(`${name}: a holder that will be busy keeps its lock for longer, and then for as long as before`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const lease = await store.lock('leader', { holder: 'busy' });
    const waiting = store.lock('leader');
    await lease.setTtl(60_000);
    assert.ok(lease.restMs > 30_000);
    assert.deepEqual(store.lockHolder('leader'), { fence: lease.fence, holder: 'busy' });
    await store.guard(lease).batch([{ put: 'a', value: 1 }]);
    await lease.setTtl(3_000);
    assert.ok(lease.isHeld && lease.restMs <= 3_000);
    await store.guard(lease).batch([{ put: 'a', value: 2 }]);
    assert.equal(store.lockHolder('leader')?.holder, 'busy');
    await lease.release();
    await (await waiting).release();
    await assert.rejects(lease.setTtl(3_000), LeaseLost);
  });

  void test(`${name}: closing gives the locks up`, async () => {
    await using place = await engine.makePlace();
    const store = await place.open();
    const lease = await store.lock('leader');
    const lost = once(lease.signal, 'abort');
    const waiting = store.lock('leader');
    await Promise.all([assert.rejects(waiting), store.close(), lost]);
    assert.equal(lease.isHeld, false);
    if (!engine.isDurable) return;
    const again = await place.open();
    const next = await again.lock('leader', { wait: false });
    assert.ok(next.fence > lease.fence);
  });
}

async function* nothing(): AsyncGenerator<Item> {}
