import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CompareFailed, openSqliteStore, StoreClosed, StoreError, StoreFull, StoreLocked } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'viv-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = () => join(directory, `${files++}.db`);

void test('a batch is read back by key and by prefix, in order, in pages', async () => {
  const store = openSqliteStore(newPath());
  const revision = await store.batch([
    { put: 'vm/2', value: { name: 'b' } },
    { put: 'vm/1', value: { name: 'a' } },
    { put: 'vm/3', value: { name: 'ü😀' } },
    { put: 'vn', value: 1 },
    { put: 'v', value: null },
  ]);
  assert.equal(revision, 1);
  assert.deepEqual(store.get('vm/3'), { key: 'vm/3', value: { name: 'ü😀' }, revision: 1 });
  assert.equal(store.get('vm/4'), undefined);
  const keys = (documents: { key: string }[]) => documents.map(({ key }) => key);
  assert.deepEqual(keys(store.range('vm/')), ['vm/1', 'vm/2', 'vm/3']);
  assert.deepEqual(keys(store.range('vm/', { limit: 2 })), ['vm/1', 'vm/2']);
  assert.deepEqual(keys(store.range('vm/', { limit: 2, after: 'vm/2' })), ['vm/3']);
  assert.deepEqual(keys(store.range('vm/', { after: 'vm/9' })), []);
  assert.equal(store.range('').length, 5);
  await store.close();
});

void test('documents and the revision survive closing', async () => {
  const path = newPath();
  const first = openSqliteStore(path);
  await first.batch([{ put: 'a', value: 1 }]);
  await first.batch([{ delete: 'a' }, { put: 'b', value: 2 }]);
  await first.close();
  const second = openSqliteStore(path);
  assert.equal(second.revision, 2);
  assert.equal(second.get('a'), undefined);
  assert.deepEqual(second.get('b'), { key: 'b', value: 2, revision: 2 });
  assert.equal(await second.batch([]), 3);
  await second.close();
});

void test('batches of one turn are one transaction, but a failed compare refuses only its own', async () => {
  const store = openSqliteStore(newPath());
  const [first, lost, second] = await Promise.allSettled([
    store.batch([{ put: 'lock', value: 'one' }], [{ key: 'lock', revision: 0 }]),
    store.batch([{ put: 'lock', value: 'two' }], [{ key: 'lock', revision: 0 }]),
    store.batch([{ put: 'other', value: 3 }]),
  ]);
  assert.deepEqual(first, { status: 'fulfilled', value: 1 });
  assert.equal(lost?.status, 'rejected');
  assert.ok(lost.reason instanceof CompareFailed);
  assert.equal(lost.reason.actual, 1);
  assert.deepEqual(second, { status: 'fulfilled', value: 2 });
  assert.equal(store.get('lock')?.value, 'one');
  await store.batch([{ put: 'lock', value: 'three' }], [{ key: 'lock', revision: 1 }]);
  assert.equal(store.get('lock')?.value, 'three');
  await store.close();
});

void test('a write is invisible until it is committed', async () => {
  const store = openSqliteStore(newPath());
  const write = store.batch([{ put: 'a', value: 1 }]);
  assert.equal(store.get('a'), undefined);
  await write;
  assert.equal(store.get('a')?.value, 1);
  await store.close();
});

void test('closing writes what is pending and refuses what comes later', async () => {
  const path = newPath();
  const store = openSqliteStore(path);
  const write = store.batch([{ put: 'a', value: 1 }]);
  const closed = store.close();
  await assert.rejects(store.batch([{ put: 'b', value: 1 }]), StoreClosed);
  await Promise.all([write, closed]);
  assert.throws(() => store.get('a'), StoreClosed);
  const again = openSqliteStore(path);
  assert.equal(again.get('a')?.value, 1);
  assert.equal(again.get('b'), undefined);
  await again.close();
});

void test('a full store refuses with StoreFull, keeps what it has and takes writes again when there is room', async () => {
  const store = openSqliteStore(newPath(), { maxBytes: 256 * 1024 });
  await store.batch([{ put: 'kept', value: 1 }]);
  const fill = async () => {
    for (let number = 0; number < 100; number++) {
      await store.batch([{ put: `fill/${number}`, value: 'x'.repeat(8192) }]);
    }
  };
  await assert.rejects(fill(), StoreFull);
  const revision = store.revision;
  await assert.rejects(
    store.batch([
      { put: 'kept', value: 2 },
      { put: 'big', value: 'x'.repeat(500_000) },
    ]),
    StoreFull,
  );
  assert.equal(store.get('kept')?.value, 1);
  assert.equal(store.revision, revision);
  assert.equal(await store.batch(store.range('fill/').map(({ key }) => ({ delete: key }))), revision + 1);
  await store.batch([{ put: 'kept', value: 'x'.repeat(8192) }]);
  await store.close();
});

void test('a second opener is refused with StoreLocked, a file that is no database with StoreError', async () => {
  const path = newPath();
  const store = openSqliteStore(path);
  assert.throws(() => openSqliteStore(path), StoreLocked);
  await store.close();
  assert.throws(() => openSqliteStore(directory), StoreError);
});

void test('a value that is not JSON is refused before anything is written', async () => {
  const store = openSqliteStore(newPath());
  await assert.rejects(store.batch([{ put: 'a', value: undefined }]), StoreError);
  assert.equal(store.revision, 0);
  await store.close();
});
