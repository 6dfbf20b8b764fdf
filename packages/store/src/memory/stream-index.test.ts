import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryQuery } from '../history.ts';
import { type IndexedEntry, StreamIndex } from './stream-index.ts';

const entry = (key: number, at = 'first'): IndexedEntry<string> => ({ key, timeMs: key * 10, at });
const page = (limit: number, more: Partial<HistoryQuery> = {}): HistoryQuery => ({
  order: 'oldestFirst',
  limit,
  ...more,
});

/** Keys 1 to 100, of which 98 to 100 are kept: trimmed one by one, as a stream that is full is. */
function trimmed(): { index: StreamIndex<string>; gone: number[] } {
  const index = new StreamIndex<string>();
  const gone: number[] = [];
  for (let key = 1; key <= 100; key++) {
    index.put(entry(key));
    gone.push(...index.trim(3).map((one) => one.key));
  }
  return { index, gone };
}

test('a full stream gives away its oldest entries, each once, in order', () => {
  const { index, gone } = trimmed();
  assert.deepEqual(
    gone,
    Array.from({ length: 97 }, (_, at) => at + 1),
  );
  assert.equal(index.count, 3);
  assert.equal(index.lastKey, 100);
});

test('what was trimmed is not found, not paged, not listed and not counted among the newest', () => {
  const index = new StreamIndex<string>();
  for (let key = 1; key <= 100; key++) index.put(entry(key));
  index.trim(98); // too few to make the array anew
  assert.equal(index.find(2), undefined);
  assert.equal(index.find(3)?.key, 3);
  assert.equal(index.all()[0]?.key, 3);
  assert.equal(index.page(page(1))[0]?.key, 3);
  assert.equal(index.page(page(1000, { order: 'newestFirst' })).at(-1)?.key, 3);
  assert.equal(index.keyBelowNewest(97), 3);
  assert.equal(index.keyBelowNewest(98), 0);
});

test('an entry older than all that are left takes its place before them', () => {
  const index = new StreamIndex<string>();
  for (let key = 1; key <= 100; key++) index.put(entry(key));
  index.trim(98);
  assert.equal(index.put(entry(1, 'again')), undefined);
  assert.deepEqual(
    index.page(page(2)).map(({ key, at }) => [key, at]),
    [
      [1, 'again'],
      [3, 'first'],
    ],
  );
  assert.equal(index.put(entry(3, 'other'))?.at, 'first');
});

test('entries are removed by what they are, also behind trimmed ones', () => {
  const { index } = trimmed();
  assert.deepEqual(
    index.remove(({ key }) => key !== 99).map(({ key }) => key),
    [98, 100],
  );
  assert.deepEqual(
    index.all().map(({ key }) => key),
    [99],
  );
  assert.equal(index.trim(0).length, 1);
  assert.equal(index.lastKey, 0);
});
