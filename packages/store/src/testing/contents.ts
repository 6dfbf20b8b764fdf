// What every engine promises about snapshots and replacing everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistoryGone } from '../errors.ts';
import type { Item, Snapshot, Store } from '../store.ts';
import { type EngineUnderTest, openIn } from './engine-under-test.ts';

async function itemsOf(snapshot: Snapshot): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of snapshot.items()) items.push(item);
  return items;
}

async function* documents(count: number, value: unknown): AsyncGenerator<Item> {
  for (let number = 0; number < count; number++) {
    yield { kind: 'document', key: `new/${number}`, json: JSON.stringify(value) };
  }
}

async function fill(store: Store): Promise<void> {
  await store.batch([
    { put: 'a', value: 1 },
    { put: 'b', value: { c: 'ü' } },
  ]);
  await store.history.append('events', [
    { key: 1, timeMs: 10, value: 'one' },
    { key: 2, timeMs: 20, value: 'two' },
  ]);
  await store.history.append('events', [{ key: 1, timeMs: 11, value: 'one again' }]);
}

const FILLED: readonly Item[] = [
  { kind: 'document', key: 'a', json: '1' },
  { kind: 'document', key: 'b', json: '{"c":"ü"}' },
  { kind: 'entry', stream: 'events', key: 1, timeMs: 11, json: '"one again"' },
  { kind: 'entry', stream: 'events', key: 2, timeMs: 20, json: '"two"' },
];

export function testContents(engine: EngineUnderTest): void {
  const { name } = engine;

  void test(`${name}: a snapshot holds what was there, whatever is written later`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    await fill(store);
    await using snapshot = await store.snapshot();
    assert.equal(snapshot.revision, store.revision);
    await store.batch([{ put: 'a', value: 2 }, { delete: 'b' }, { put: 'c', value: 3 }]);
    await store.history.append('events', [{ key: 3, timeMs: 30, value: 'three' }]);
    assert.deepEqual(await itemsOf(snapshot), FILLED);
  });

  void test(`${name}: a snapshot tears no batch that is written meanwhile`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    let isDone = false;
    const writing = (async () => {
      for (let number = 0; !isDone; number++) {
        await store.batch(
          Array.from({ length: 40 }, (_, key) => ({ put: `k/${key}`, value: `${number}`.padEnd(500) })),
        );
      }
    })();
    for (let round = 0; round < 5; round++) {
      await using snapshot = await store.snapshot();
      const items = await itemsOf(snapshot);
      assert.equal(new Set(items.map(({ json }) => json)).size, Math.min(1, items.length));
    }
    isDone = true;
    await writing;
  });

  void test(`${name}: replacing takes everything away and puts the other things there`, async () => {
    await using place = await engine.makePlace();
    let store = await place.open();
    await fill(store);
    const before = store.revision;
    const watcher = store.watch('');
    const revision = await store.replace(documents(5_000, 'x'.repeat(300)));
    assert.ok(revision > before && store.revision >= revision);
    const check = () => {
      assert.equal(store.get('a'), undefined);
      assert.equal(store.range('new/').length, 5_000);
      assert.equal(store.get('new/4999')?.value, 'x'.repeat(300));
      assert.equal(store.history.count('events'), 0);
    };
    check();
    await assert.rejects(watcher.next(), HistoryGone);
    assert.throws(() => store.watch('', before), HistoryGone);
    const changes = store.watch('');
    const next = await store.batch(
      [{ put: 'new/0', value: 0 }],
      [{ key: 'new/0', revision: store.get('new/0')?.revision ?? -1 }],
    );
    assert.deepEqual((await changes.next()).value, { kind: 'put', key: 'new/0', value: 0, revision: next });
    await store.history.append('events', [{ key: 1, timeMs: 1, value: 1 }]);
    assert.equal(store.history.count('events'), 1);
    if (!engine.isDurable) return;
    await store.close();
    store = await place.open();
    assert.equal(store.range('').length, 5_000);
    assert.equal(store.get('new/0')?.value, 0);
    assert.equal(store.history.lastKey('events'), 1);
  });

  void test(`${name}: history can be kept when documents are replaced`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    await fill(store);
    await store.replace(documents(3, 1), { keepHistory: true });
    assert.equal(store.range('').length, 3);
    assert.equal(store.history.count('events'), 2);
    await store.history.append('events', [{ key: 3, timeMs: 30, value: 'three' }]);
    assert.equal(store.history.lastKey('events'), 3);
  });

  void test(`${name}: what throws on the way replaces nothing`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    await fill(store);
    async function* broken(): AsyncGenerator<Item> {
      yield* documents(3_000, 1);
      throw new Error('the source is damaged');
    }
    await assert.rejects(store.replace(broken()), /the source is damaged/);
    await using snapshot = await store.snapshot();
    assert.deepEqual(await itemsOf(snapshot), FILLED);
    await store.replace(documents(1, 1));
    assert.equal(store.range('').length, 1);
  });

  void test(`${name}: a snapshot put into another store makes it equal`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    await fill(store);
    const other = await openIn(engine, stack);
    await using snapshot = await store.snapshot();
    await other.replace(snapshot.items());
    await using copy = await other.snapshot();
    assert.deepEqual(await itemsOf(copy), FILLED);
  });
}
