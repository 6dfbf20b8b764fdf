// What an engine promises to several that have the same place open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompareFailed, HistoryGone, LeaseLost, LockHeld } from '../errors.ts';
import type { Item } from '../store.ts';
import type { EngineUnderTest } from './engine-under-test.ts';

async function* contents(): AsyncGenerator<Item> {
  for (let number = 0; number < 500; number++) yield { kind: 'document', key: `new/${number}`, json: '1' };
  yield { kind: 'entry', stream: 'events', key: 7, timeMs: 1, json: '"new"' };
}

export function testShared(engine: EngineUnderTest): void {
  const { name } = engine;

  void test(`${name}: what one commits the others see, read and watched`, async () => {
    await using place = await engine.makePlace();
    const [a, b] = [await place.open(), await place.open()];
    const changes = b.watch('');
    const revision = await a.batch([
      { put: 'x', value: 1 },
      { put: 'y', value: 1 },
    ]);
    await a.history.append('events', [{ key: 1, timeMs: 1, value: 'one' }]);
    await b.sync();
    assert.deepEqual(b.get('x'), { key: 'x', value: 1, revision });
    assert.deepEqual((await changes.next()).value, { kind: 'put', key: 'x', value: 1, revision });
    assert.equal((await changes.next()).value.key, 'y');
    assert.equal(b.history.page('events', { order: 'newestFirst', limit: 1 })[0]?.value, 'one');
    await b.batch([{ put: 'x', value: 2 }], [{ key: 'x', revision }]);
    await assert.rejects(a.batch([{ put: 'x', value: 3 }], [{ key: 'x', revision }]), CompareFailed);
    await a.sync();
    assert.equal(a.get('x')?.value, 2);
  });

  void test(`${name}: counting by compare, nobody counts over anybody`, async () => {
    await using place = await engine.makePlace();
    const stores = [await place.open(), await place.open(), await place.open()];
    const counted = await Promise.all(
      stores.map(async (store) => {
        let made = 0;
        for (let tries = 0; tries < 40; tries++) {
          const { value = 0, revision = 0 } = store.get<number>('count') ?? {};
          await store.batch([{ put: 'count', value: value + 1 }], [{ key: 'count', revision }]).then(
            () => {
              made += 1;
            },
            (error: unknown) => assert.ok(error instanceof CompareFailed, String(error)),
          );
        }
        return made;
      }),
    );
    await stores[0]?.sync();
    assert.equal(
      stores[0]?.get('count')?.value,
      counted.reduce((sum, made) => sum + made),
    );
  });

  void test(`${name}: appends of several to one stream are all there`, async () => {
    await using place = await engine.makePlace();
    const stores = [await place.open(), await place.open()];
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) =>
        stores[index % 2]?.history.append('events', [{ key: index + 1, timeMs: index, value: index }]),
      ),
    );
    for (const store of stores) {
      await store.sync();
      assert.equal(store.history.count('events'), 200);
    }
  });

  void test(`${name}: a lock is one for all, and its holder's last writes are seen by the next`, async () => {
    await using place = await engine.makePlace();
    const [a, b] = [await place.open(), await place.open()];
    const first = await a.lock('leader', { holder: 'a' });
    await assert.rejects(b.lock('leader', { wait: false }), LockHeld);
    assert.deepEqual(b.lockHolder('leader'), { fence: first.fence, holder: 'a' });
    const guarded = a.guard(first);
    const waiting = b.lock('leader', { holder: 'b' });
    const writes = Array.from({ length: 50 }, (_, number) => guarded.batch([{ put: 'last', value: number }]));
    const released = Promise.all(writes).then(() => first.release());
    const second = await waiting;
    assert.equal(b.get('last')?.value, 49);
    await released;
    await assert.rejects(guarded.batch([{ put: 'last', value: -1 }]), LeaseLost);
    await assert.rejects(b.guard(first).batch([{ put: 'last', value: -1 }]), LeaseLost);
    await b.guard(second).batch([{ put: 'last', value: 50 }]);
    await b.close();
    const third = await a.lock('leader', { wait: false });
    assert.ok(third.fence > second.fence);
  });

  void test(`${name}: when one replaces everything, the others have the new contents and go on`, async () => {
    await using place = await engine.makePlace();
    const [a, b] = [await place.open(), await place.open()];
    await a.batch([{ put: 'old', value: 1 }]);
    await a.history.append('events', [{ key: 1, timeMs: 1, value: 'old' }]);
    await b.sync();
    const watcher = b.watch('');
    const writing = Promise.all(
      Array.from({ length: 100 }, (_, number) => b.batch([{ put: `b/${number}`, value: 1 }])),
    );
    await a.replace(contents());
    await writing;
    await b.batch([{ put: 'after', value: 1 }]);
    await a.sync();
    for (const store of [a, b]) {
      assert.equal(store.get('old'), undefined);
      assert.equal(store.range('new/').length, 500);
      assert.equal(store.get('after')?.value, 1);
      assert.equal(store.history.page('events', { order: 'newestFirst', limit: 1 })[0]?.value, 'new');
    }
    assert.deepEqual(a.range('b/'), b.range('b/'));
    await assert.rejects(async () => {
      for await (const change of watcher) assert.notEqual(change.key, 'after');
    }, HistoryGone);
  });
}
