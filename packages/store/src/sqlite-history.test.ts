import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openSqliteStore } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'viv-store-'));
after(() => rmSync(directory, { recursive: true }));

const entries = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => {
    const key = from + index;
    return { key, timeMs: key * 1000, value: `event ${key}` };
  });
const keys = (page: { key: number }[]) => page.map(({ key }) => key);

void test('a stream is paged by key and by time in both directions', async () => {
  const { history, close } = open('a');
  await Promise.all([history.append('events', entries(1, 10)), history.append('tasks', entries(5, 6))]);
  assert.deepEqual(keys(history.page('events', { order: 'newestFirst', limit: 3 })), [10, 9, 8]);
  assert.deepEqual(keys(history.page('events', { order: 'newestFirst', beforeKey: 8, limit: 3 })), [7, 6, 5]);
  assert.deepEqual(keys(history.page('events', { order: 'oldestFirst', afterKey: 8, limit: 3 })), [9, 10]);
  assert.deepEqual(
    keys(history.page('events', { order: 'oldestFirst', fromTimeMs: 3000, toTimeMs: 5000, limit: 10 })),
    [3, 4, 5],
  );
  assert.deepEqual(history.page('tasks', { order: 'oldestFirst', limit: 1 }), [
    { key: 5, timeMs: 5000, value: 'event 5' },
  ]);
  assert.equal(history.lastKey('events'), 10);
  assert.equal(history.lastKey('none'), 0);
  await close();
});

void test('appending an existing key replaces the entry', async () => {
  const { history, close } = open('b');
  await history.append('tasks', entries(1, 2));
  await history.append('tasks', [{ key: 1, timeMs: 9, value: { state: 'success' } }]);
  assert.deepEqual(history.page('tasks', { order: 'oldestFirst', limit: 9 })[0]?.value, { state: 'success' });
  assert.equal(history.count('tasks'), 2);
  await close();
});

void test('a stream that outgrows its bound loses its oldest entries', async () => {
  const { history, close } = open('c');
  for (let from = 1; from <= 991; from += 10) await history.append('events', entries(from, from + 9), 200);
  assert.ok(history.count('events') <= 300);
  assert.equal(history.lastKey('events'), 1000);
  assert.ok(history.page('events', { order: 'oldestFirst', limit: 1 })[0]!.key > 650);
  await close();
});

function open(name: string) {
  const store = openSqliteStore(join(directory, `${name}.db`));
  return { history: store.history, close: () => store.close() };
}
