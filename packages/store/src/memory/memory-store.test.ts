import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreFull } from '../errors.ts';
import { openMemoryStore } from '../index.ts';
import type { Store } from '../store.ts';
import { testConformance } from '../testing/index.ts';

testConformance({
  name: 'memory',
  isDurable: false,
  isShared: false,
  makePlace: async () => {
    const opened: Store[] = [];
    return {
      open: async () => {
        const store = openMemoryStore();
        opened.push(store);
        return store;
      },
      [Symbol.asyncDispose]: async () => {
        for (const store of opened) await store.close();
      },
    };
  },
});

void test('a store in memory has a bound too', async () => {
  const store = openMemoryStore({ maxBytes: 10_000 });
  await store.batch([{ put: 'a', value: 'x'.repeat(8_000) }]);
  await assert.rejects(
    store.batch([
      { put: 'a', value: 1 },
      { put: 'b', value: 'x'.repeat(12_000) },
    ]),
    StoreFull,
  );
  assert.equal(store.get('b'), undefined);
  await store.batch([{ put: 'a', value: 'y'.repeat(8_000) }]);
  await store.batch([{ delete: 'a' }, { put: 'b', value: 'x'.repeat(8_000) }]);
  await store.close();
});
