// What every engine promises about documents and watching.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../encode-batch.ts';
import { BatchTooLarge, CompareFailed, HistoryGone, StoreClosed, StoreError } from '../errors.ts';
import type { Change } from '../store.ts';
import { type EngineUnderTest, openIn } from './engine-under-test.ts';

const keys = (documents: readonly { key: string }[]) => documents.map(({ key }) => key);

export function testDocuments(engine: EngineUnderTest): void {
  const { name } = engine;

  void test(`${name}: a batch is read back by key and by prefix, in order, in pages`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const before = store.revision;
    const revision = await store.batch([
      { put: 'vm/2', value: { name: 'b' } },
      { put: 'vm/1', value: { name: 'a' } },
      { put: 'vm/3', value: { name: 'ü😀' } },
      { put: 'vn', value: 1 },
      { put: 'v', value: null },
    ]);
    assert.ok(revision > before);
    assert.ok(store.revision >= revision);
    assert.deepEqual(store.get('vm/3'), { key: 'vm/3', value: { name: 'ü😀' }, revision });
    assert.equal(store.get('vm/4'), undefined);
    assert.deepEqual(keys(store.range('vm/')), ['vm/1', 'vm/2', 'vm/3']);
    assert.deepEqual(keys(store.range('vm/', { limit: 2 })), ['vm/1', 'vm/2']);
    assert.deepEqual(keys(store.range('vm/', { limit: 0 })), []);
    assert.deepEqual(keys(store.range('vm/', { limit: 2, after: 'vm/2' })), ['vm/3']);
    assert.deepEqual(keys(store.range('vm/', { after: 'vm/9' })), []);
    assert.deepEqual(keys(store.range('vm/', { after: 'a' })), ['vm/1', 'vm/2', 'vm/3']);
    assert.equal(store.range('').length, 5);
  });

  void test(`${name}: keys are ordered by code points`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const ordered = [
      'k',
      'k/\u{7f}',
      'k/\u{80}',
      'k/\u{d7ff}',
      'k/\u{e000}',
      'k/\u{ffff}',
      'k/\u{10000}',
      'k/\u{10ffff}x',
    ];
    await store.batch(ordered.toReversed().map((key) => ({ put: key, value: key })));
    assert.deepEqual(keys(store.range('')), ordered);
    assert.deepEqual(keys(store.range('k/', { after: 'k/\u{e000}', limit: 2 })), ['k/\u{ffff}', 'k/\u{10000}']);
    await store.batch([{ delete: 'k/\u{10000}' }, { delete: 'k/\u{e000}' }, { delete: 'never there' }]);
    assert.equal(store.get('k/\u{10000}'), undefined);
    assert.equal(store.range('').length, ordered.length - 2);
  });

  void test(`${name}: values that are read are the reader's own`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const value = { list: [1] };
    const written = store.batch([{ put: 'a', value }]);
    value.list.push(2);
    await written;
    store.get<{ list: number[] }>('a')?.value.list.push(3);
    assert.deepEqual(store.get('a')?.value, { list: [1] });
  });

  void test(`${name}: of several operations on one key the last one counts`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    await store.batch([{ put: 'a', value: 1 }, { put: 'b', value: 1 }, { delete: 'a' }, { put: 'b', value: 2 }]);
    assert.deepEqual(
      store.range('').map(({ key, value }) => [key, value]),
      [['b', 2]],
    );
  });

  void test(`${name}: a failed compare refuses its own batch, and no other of the same turn`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const [first, lost, second] = await Promise.allSettled([
      store.batch([{ put: 'lock', value: 'one' }], [{ key: 'lock', revision: 0 }]),
      store.batch([{ put: 'lock', value: 'two' }], [{ key: 'lock', revision: 0 }]),
      store.batch([{ put: 'other', value: 3 }]),
    ]);
    assert.ok(first.status === 'fulfilled' && second.status === 'fulfilled');
    assert.ok(lost.status === 'rejected' && lost.reason instanceof CompareFailed);
    assert.equal(lost.reason.actual, first.value);
    assert.equal(store.get('lock')?.value, 'one');
    await store.batch([{ put: 'lock', value: 'three' }], [{ key: 'lock', revision: first.value }]);
    assert.equal(store.get('lock')?.value, 'three');
  });

  void test(`${name}: a batch of compares alone answers without writing`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const revision = await store.batch([{ put: 'a', value: 1 }]);
    assert.ok((await store.batch([], [{ key: 'a', revision }])) >= revision);
    await assert.rejects(store.batch([], [{ key: 'a', revision: revision + 1 }]), CompareFailed);
    await assert.rejects(store.batch([{ delete: 'b' }], [{ key: 'b', revision }]), CompareFailed);
  });

  void test(`${name}: batches are committed in the order of the calls`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const changes = store.watch('n');
    const revisions = await Promise.all(
      Array.from({ length: 200 }, (_, number) => store.batch([{ put: `n${number % 7}`, value: number }])),
    );
    assert.deepEqual(
      revisions,
      revisions.toSorted((a, b) => a - b),
    );
    assert.deepEqual(
      store.range<number>('n').map(({ value }) => value),
      [196, 197, 198, 199, 193, 194, 195],
    );
    const seen: unknown[] = [];
    for await (const change of changes) {
      if (change.kind === 'put') seen.push(change.value);
      if (seen.length === 200) break;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 200 }, (_, number) => number),
    );
  });

  void test(`${name}: a write is invisible until it is committed, and visible when it is acknowledged`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const write = store.batch([{ put: 'a', value: 1 }]);
    assert.equal(store.get('a'), undefined);
    await write;
    assert.equal(store.get('a')?.value, 1);
  });

  void test(`${name}: closing writes what is pending and refuses what comes later`, async () => {
    await using place = await engine.makePlace();
    const store = await place.open();
    const write = store.batch([{ put: 'a', value: 1 }]);
    const closed = store.close();
    await assert.rejects(store.batch([{ put: 'b', value: 1 }]), StoreClosed);
    await Promise.all([write, closed]);
    assert.throws(() => store.get('a'), StoreClosed);
    assert.throws(() => store.watch(''), StoreClosed);
    await store.close();
    if (!engine.isDurable) return;
    const again = await place.open();
    assert.equal(again.get('a')?.value, 1);
    assert.equal(again.get('b'), undefined);
  });

  void test(`${name}: documents and revisions survive closing`, async () => {
    if (!engine.isDurable) return;
    await using place = await engine.makePlace();
    const first = await place.open();
    await first.batch([{ put: 'a', value: 1 }]);
    const revision = await first.batch([{ delete: 'a' }, { put: 'b', value: 2 }]);
    await first.close();
    const second = await place.open();
    assert.ok(second.revision >= revision);
    assert.equal(second.get('a'), undefined);
    assert.deepEqual(second.get('b'), { key: 'b', value: 2, revision });
    assert.ok((await second.batch([])) > revision);
  });

  void test(`${name}: what is no key, no JSON or too much is refused before anything is written`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    await assert.rejects(store.batch([{ put: 'a', value: undefined }]), StoreError);
    for (const key of ['', '\ud800', 'x'.repeat(limits.keyBytes + 1)]) {
      await assert.rejects(store.batch([{ put: key, value: 1 }]), StoreError);
    }
    const puts = (count: number) =>
      Array.from({ length: count }, (_, number) => ({ put: `k/${number}`, value: number }));
    await assert.rejects(store.batch(puts(limits.operations + 1)), BatchTooLarge);
    const compares = Array.from({ length: limits.compares + 1 }, (_, number) => ({ key: `c/${number}`, revision: 0 }));
    await assert.rejects(store.batch([], compares), BatchTooLarge);
    await assert.rejects(store.batch([{ put: 'a', value: 'x'.repeat(limits.bytes) }]), BatchTooLarge);
    assert.deepEqual(store.range(''), []);
  });

  void test(`${name}: the largest batch is one`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const puts = Array.from({ length: limits.operations }, (_, number) => ({ put: `k/${number}`, value: number }));
    const compares = Array.from({ length: limits.compares }, (_, number) => ({ key: `k/${number}`, revision: 0 }));
    const small = store.batch([{ put: 'a', value: 1 }]);
    const revision = await store.batch(puts, compares);
    await small;
    assert.equal(store.range('k/').length, limits.operations);
    assert.ok(store.range('k/').every((document) => document.revision === revision));
    await assert.rejects(store.batch(puts, compares), CompareFailed);
    const big = { put: 'big', value: 'x'.repeat(limits.bytes - 100) };
    await store.batch([big]);
    await store.batch([{ delete: 'big' }, ...puts.slice(1).map(({ put }) => ({ delete: put }))]);
    assert.deepEqual(keys(store.range('')), ['a', 'k/0']);
  });

  void test(`${name}: a watcher gets the changes of its prefix in order, from the revision it names`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const first = await store.batch([{ put: 'vm/1', value: 1 }]);
    const second = await store.batch([
      { put: 'vm/1', value: 2 },
      { put: 'host/1', value: 0 },
    ]);
    const late = store.watch('vm/', first);
    const now = store.watch('vm/');
    const third = await store.batch([{ delete: 'vm/1' }]);
    assert.deepEqual((await late.next()).value, { kind: 'put', key: 'vm/1', value: 2, revision: second });
    assert.deepEqual((await late.next()).value, { kind: 'delete', key: 'vm/1', revision: third });
    assert.deepEqual((await now.next()).value, { kind: 'delete', key: 'vm/1', revision: third });
    const waiting = now.next();
    await store.close();
    assert.equal((await waiting).done, true);
  });

  void test(`${name}: a refused batch is not reported`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const changes = store.watch('');
    await assert.rejects(store.batch([{ put: 'a', value: 1 }], [{ key: 'a', revision: 7 }]));
    const revision = await store.batch([{ put: 'b', value: 1 }]);
    assert.deepEqual((await changes.next()).value, { kind: 'put', key: 'b', value: 1, revision });
  });

  void test(`${name}: leaving the loop takes the watcher away`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const changes = store.watch('');
    const seen: Change[] = [];
    await store.batch([
      { put: 'a', value: 1 },
      { put: 'b', value: 1 },
    ]);
    for await (const change of changes) {
      seen.push(change);
      break;
    }
    assert.deepEqual(keys(seen), ['a']);
    assert.equal((await changes.next()).done, true);
  });

  void test(`${name}: changes from before the opening, or too many ago, are gone`, async () => {
    await using place = await engine.makePlace();
    let store = await place.open();
    const before = await store.batch([{ put: 'a', value: 1 }]);
    await store.batch([{ put: 'a', value: 2 }]);
    if (engine.isDurable) {
      await store.close();
      store = await place.open();
      assert.throws(() => store.watch('', before), HistoryGone);
    }
    const revision = store.revision;
    for (let turn = 0; turn < 3; turn++) {
      await store.batch(Array.from({ length: 1_500 }, (_, number) => ({ put: `k/${number}`, value: turn })));
    }
    assert.throws(() => store.watch('', revision), HistoryGone);
  });
}
