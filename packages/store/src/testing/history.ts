// What every engine promises about history streams.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreError } from '../errors.ts';
import type { HistoryEntry } from '../history.ts';
import { type EngineUnderTest, openIn } from './engine-under-test.ts';

const entries = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => {
    const key = from + index;
    return { key, timeMs: key * 1000, value: `event ${key}` };
  });
const keys = (page: readonly HistoryEntry[]) => page.map(({ key }) => key);

export function testHistory(engine: EngineUnderTest): void {
  const { name } = engine;

  void test(`${name}: a stream is paged by key and by time in both directions`, async () => {
    await using stack = new AsyncDisposableStack();
    const { history } = await openIn(engine, stack);
    await Promise.all([history.append('events', entries(1, 10)), history.append('tasks', entries(5, 6))]);
    assert.deepEqual(keys(history.page('events', { order: 'newestFirst', limit: 3 })), [10, 9, 8]);
    assert.deepEqual(keys(history.page('events', { order: 'newestFirst', beforeKey: 8, limit: 3 })), [7, 6, 5]);
    assert.deepEqual(keys(history.page('events', { order: 'oldestFirst', afterKey: 8, limit: 3 })), [9, 10]);
    const inTime = { fromTimeMs: 3000, toTimeMs: 5000, limit: 10 };
    assert.deepEqual(keys(history.page('events', { order: 'oldestFirst', ...inTime })), [3, 4, 5]);
    assert.deepEqual(keys(history.page('events', { order: 'newestFirst', ...inTime, limit: 2 })), [5, 4]);
    const first = { key: 5, timeMs: 5000, value: 'event 5' };
    assert.deepEqual(history.page('tasks', { order: 'oldestFirst', limit: 1 }), [first]);
    assert.equal(history.lastKey('events'), 10);
    assert.equal(history.lastKey('none'), 0);
    assert.deepEqual(history.page('none', { order: 'oldestFirst', limit: 9 }), []);
    assert.deepEqual(history.streams(), ['events', 'tasks']);
    await history.append('nothing', []);
  });

  void test(`${name}: appending an existing key replaces the entry`, async () => {
    await using place = await engine.makePlace();
    let store = await place.open();
    await store.history.append('tasks', entries(1, 3));
    await store.history.append('tasks', [{ key: 1, timeMs: 9, value: { state: 'success' } }]);
    await store.history.append('tasks', [
      { key: 4, timeMs: 9, value: 'running' },
      { key: 4, timeMs: 10, value: 'done' },
    ]);
    const check = () => {
      const page = store.history.page('tasks', { order: 'oldestFirst', limit: 9 });
      assert.deepEqual(page, [
        { key: 1, timeMs: 9, value: { state: 'success' } },
        ...entries(2, 3),
        { key: 4, timeMs: 10, value: 'done' },
      ]);
      assert.equal(store.history.count('tasks'), 4);
    };
    check();
    if (!engine.isDurable) return;
    await store.close();
    store = await place.open();
    check();
  });

  void test(`${name}: many small appends, replaced and in any order, are all there after opening again`, async () => {
    await using place = await engine.makePlace();
    let store = await place.open();
    const value = (key: number, state: string) => ({ key, timeMs: key, value: { state, text: 'x'.repeat(key % 300) } });
    await Promise.all(
      Array.from({ length: 700 }, async (_, index) => {
        const key = index + 1;
        await store.history.append('tasks', [value(key, 'queued')]);
        if (key % 5 !== 0) await store.history.append('tasks', [value(key, 'success')]);
      }),
    );
    const check = () => {
      const page = store.history.page<{ state: string; text: string }>('tasks', { order: 'oldestFirst', limit: 1000 });
      assert.equal(page.length, 700);
      for (const [index, entry] of page.entries()) {
        assert.deepEqual(entry, value(index + 1, (index + 1) % 5 === 0 ? 'queued' : 'success'));
      }
    };
    check();
    if (!engine.isDurable) return;
    await store.close();
    store = await place.open();
    check();
    await store.history.append('tasks', [value(701, 'queued')]);
    assert.equal(store.history.lastKey('tasks'), 701);
  });

  void test(`${name}: a stream that outgrows its bound loses its oldest entries`, async () => {
    await using place = await engine.makePlace();
    let store = await place.open();
    for (let from = 1; from <= 1991; from += 10) await store.history.append('events', entries(from, from + 9), 200);
    const check = () => {
      assert.ok(store.history.count('events') >= 200 && store.history.count('events') <= 500);
      assert.equal(store.history.lastKey('events'), 2000);
      const page = store.history.page('events', { order: 'newestFirst', limit: 200 });
      assert.deepEqual(page, entries(1801, 2000).toReversed());
    };
    check();
    if (!engine.isDurable) return;
    await store.close();
    store = await place.open();
    check();
  });

  void test(`${name}: what is no entry is refused`, async () => {
    await using stack = new AsyncDisposableStack();
    const { history } = await openIn(engine, stack);
    for (const key of [0, -1, 1.5, Number.NaN]) {
      await assert.rejects(history.append('events', [{ key, timeMs: 1, value: 1 }]), StoreError);
    }
    await assert.rejects(history.append('events', [{ key: 1, timeMs: 1, value: undefined }]), StoreError);
    await assert.rejects(history.append('a/b', entries(1, 1)), StoreError);
    assert.deepEqual(history.streams(), []);
  });
}
