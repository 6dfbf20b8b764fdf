import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openMemoryStore } from '../index.ts';
import type { Op } from '../store.ts';
import { StagedDocuments } from './staged-documents.ts';

void test('staged documents read as they will be when they are written', async () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '\u{e000}', '\u{10000}'), minLength: 1, maxLength: 3 });
  const op = fc.oneof(
    fc.record({ put: key, value: fc.nat(99) }),
    key.map((each): Op => ({ delete: each })),
  );
  const ops = fc.array(op, { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(ops, ops, fc.constantFrom('', 'a', '\u{10000}'), async (before, changes, prefix) => {
      const store = openMemoryStore();
      await store.batch(before);
      const staged = new StagedDocuments(store);
      staged.apply(changes);
      const read = [...staged.range(prefix)];
      await store.batch(staged.ops());
      assert.deepEqual(
        read,
        store.range(prefix).map((document) => ({ key: document.key, value: document.value })),
      );
      for (const each of read) assert.equal(staged.get(each.key), each.value);
      await store.close();
    }),
  );
});
