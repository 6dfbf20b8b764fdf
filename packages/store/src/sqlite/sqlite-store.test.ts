import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openSqliteStore, StoreError, StoreFull, StoreLocked } from '../index.ts';
import type { Store } from '../store.ts';
import { testConformance } from '../testing/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'viv-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = () => join(directory, `${files++}.db`);

testConformance({
  name: 'sqlite',
  isDurable: true,
  isShared: false,
  makePlace: async () => {
    const path = newPath();
    const opened: Store[] = [];
    return {
      open: async () => {
        const store = openSqliteStore(path);
        opened.push(store);
        return store;
      },
      [Symbol.asyncDispose]: async () => {
        for (const store of opened) await store.close();
      },
    };
  },
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

void test('contents that do not fit replace nothing', async () => {
  const store = openSqliteStore(newPath(), { maxBytes: 256 * 1024 });
  await store.batch([{ put: 'kept', value: 1 }]);
  const tooMuch = async function* () {
    for (let number = 0; number < 100; number++) {
      yield { kind: 'document', key: `k/${number}`, json: JSON.stringify('x'.repeat(8192)) } as const;
    }
  };
  await assert.rejects(store.replace(tooMuch()), StoreFull);
  assert.deepEqual(
    store.range('').map(({ key }) => key),
    ['kept'],
  );
  await store.batch([{ put: 'kept', value: 'x'.repeat(100_000) }]);
  await store.close();
});

void test('a second opener is refused with StoreLocked, a file that is no database with StoreError', async () => {
  const path = newPath();
  const store = openSqliteStore(path);
  assert.throws(() => openSqliteStore(path), StoreLocked);
  await store.close();
  assert.throws(() => openSqliteStore(directory), StoreError);
});

void test('what a killed process left of its snapshots is removed, and nothing else', async () => {
  const path = newPath();
  writeFileSync(`${path}.snapshot-1`, 'half');
  writeFileSync(`${path}.kept`, 'mine');
  const store = openSqliteStore(path);
  await using snapshot = await store.snapshot();
  assert.equal(snapshot.revision, 0);
  await store.close();
  await snapshot[Symbol.asyncDispose]();
  const left = readdirSync(directory).filter((name) => join(directory, name).startsWith(`${path}.`));
  assert.deepEqual(left, [`${files - 1}.db.kept`]);
});

void test('its files are readable by their owner alone, also those that were not', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'viv-store-'));
  try {
    const path = join(directory, 'private.db');
    writeFileSync(path, '', { mode: 0o644 });
    const store = openSqliteStore(path);
    await store.batch([{ put: 'secret', value: 1 }]);
    await using snapshot = await store.snapshot();
    assert.ok(snapshot.revision > 0);
    const files = readdirSync(directory);
    assert.ok(files.length >= 3, files.join(' '));
    for (const file of files) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file);
    await store.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
