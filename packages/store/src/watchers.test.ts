import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HistoryGone, openSqliteStore } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'viv-store-'));
after(() => rmSync(directory, { recursive: true }));

void test('a watcher gets the changes of its prefix in order, from the revision it names', async () => {
  const store = openSqliteStore(join(directory, 'a.db'));
  await store.batch([{ put: 'vm/1', value: 1 }]);
  await store.batch([
    { put: 'vm/1', value: 2 },
    { put: 'host/1', value: 0 },
  ]);
  const late = store.watch('vm/', 1);
  const now = store.watch('vm/');
  await store.batch([{ delete: 'vm/1' }]);
  assert.deepEqual(await late.next(), { done: false, value: { kind: 'put', key: 'vm/1', value: 2, revision: 2 } });
  assert.deepEqual(await late.next(), { done: false, value: { kind: 'delete', key: 'vm/1', revision: 3 } });
  assert.deepEqual(await now.next(), { done: false, value: { kind: 'delete', key: 'vm/1', revision: 3 } });
  const waiting = now.next();
  await store.close();
  assert.equal((await waiting).done, true);
});

void test('a refused batch is not reported', async () => {
  const store = openSqliteStore(join(directory, 'b.db'));
  const changes = store.watch('');
  await assert.rejects(store.batch([{ put: 'a', value: 1 }], [{ key: 'a', revision: 7 }]));
  await store.batch([{ put: 'b', value: 1 }]);
  assert.deepEqual((await changes.next()).value, { kind: 'put', key: 'b', value: 1, revision: 1 });
  await store.close();
});

void test('leaving the loop takes the watcher away', async () => {
  const store = openSqliteStore(join(directory, 'c.db'));
  const seen: string[] = [];
  const changes = store.watch('');
  await store.batch([
    { put: 'a', value: 1 },
    { put: 'b', value: 1 },
  ]);
  for await (const change of changes) {
    seen.push(change.key);
    break;
  }
  assert.deepEqual(seen, ['a']);
  await store.close();
});

void test('changes from before the opening, or too many ago, are gone', async () => {
  const path = join(directory, 'd.db');
  const first = openSqliteStore(path);
  await first.batch([{ put: 'a', value: 1 }]);
  await first.close();
  const second = openSqliteStore(path);
  assert.throws(() => second.watch('', 0), HistoryGone);
  await second.batch(Array.from({ length: 3000 }, (_, number) => ({ put: `k/${number}`, value: number })));
  assert.throws(() => second.watch('', 1), HistoryGone);
  await second.close();
});
