// What every engine promises about backups and migrations.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { systemClock } from '@vivarium/base/node';
import { BackupDamaged, BackupTooNew } from '../backup/backup-format.ts';
import { backupStore, restoreStore } from '../backup/backup-store.ts';
import { LeaseLost, StoreError } from '../errors.ts';
import { type Migration, migrate, SchemaTooNew } from '../schema/migrate.ts';
import type { Item, Op, Store } from '../store.ts';
import { type EngineUnderTest, openIn } from './engine-under-test.ts';

async function fill(store: Store): Promise<void> {
  const value = { name: 'ü\t\n"😀', list: [1, null, true] };
  for (let begin = 0; begin < 3_000; begin += 1_000) {
    await store.batch(Array.from({ length: 1_000 }, (_, index) => ({ put: `vm/${begin + index}`, value })));
  }
  const entries = Array.from({ length: 500 }, (_, index) => ({ key: index + 1, timeMs: index, value }));
  await store.history.append('events', entries);
}

async function backUp(store: Store): Promise<Buffer> {
  const sink = new PassThrough({ highWaterMark: 1 << 26 });
  await backupStore(store, sink, systemClock);
  return Buffer.concat(await sink.toArray());
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let begin = 0; begin < bytes.length; begin += 1_000) yield bytes.subarray(begin, begin + 1_000);
}

export function testBackup(engine: EngineUnderTest): void {
  const { name } = engine;

  void test(`${name}: what is backed up is restored, into the same store or another`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    await fill(store);
    const file = await backUp(store);
    const other = await openIn(engine, stack);
    await other.batch([{ put: 'other', value: 1 }]);
    await store.batch([{ delete: 'vm/1' }, { put: 'vm/2', value: 2 }, { put: 'later', value: 3 }]);
    for (const each of [store, other]) {
      const { documents, entries } = await restoreStore(each, inPieces(file));
      assert.deepEqual([documents, entries], [3_000, 500]);
      assert.equal(each.range('').length, 3_000);
      assert.equal(each.get<{ name: string }>('vm/2')?.value.name, 'ü\t\n"😀');
      assert.equal(each.history.count('events'), 500);
      assert.equal(each.history.page('events', { order: 'newestFirst', limit: 1 })[0]?.key, 500);
    }
    assert.equal(gunzipSync(await backUp(other)).indexOf('"later"'), -1);
  });

  void test(`${name}: a backup that is damaged or cut off changes nothing`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    await fill(store);
    const file = await backUp(store);
    await store.batch([{ put: 'kept', value: 1 }]);
    const text = gunzipSync(file).toString('utf8');
    const damaged = Buffer.from(file);
    damaged[file.length >> 1] = (damaged[file.length >> 1] ?? 0) ^ 0x10;
    const lines = text.split('\n');
    const files: Buffer[] = [
      Buffer.alloc(0),
      Buffer.from('no backup'),
      gzipSync('{"format":"something else"}\n'),
      file.subarray(0, file.length - 1),
      file.subarray(0, file.length >> 1),
      damaged,
      gzipSync(text.replace('true', 'null')),
      gzipSync(text.slice(0, text.lastIndexOf('end\t'))),
      gzipSync(lines.toSpliced(100, 1).join('\n')),
      gzipSync(`${text}d\t"more"\t1\n`),
      gzipSync(lines.toSpliced(100, 1, 'd\t"vm"\t{').join('\n')),
    ];
    for (const end of ['null', '5', '{}', '{"documents":1,"entries":1}']) {
      files.push(gzipSync(text.replace(/end\t.*/, `end\t${end}`)));
    }
    for (const each of files) await assert.rejects(restoreStore(store, inPieces(each)), BackupDamaged);
    const unreadable = async function* (): AsyncGenerator<Buffer> {
      yield file.subarray(0, 1_000);
      throw new Error('the disk is broken');
    };
    await assert.rejects(restoreStore(store, unreadable()), /the disk is broken/);
    const newer = gzipSync(text.replace('"version":1', '"version":2'));
    await assert.rejects(restoreStore(store, inPieces(newer)), BackupTooNew);
    assert.equal(store.range('').length, 3_001);
    assert.equal(store.get('kept')?.value, 1);
    assert.equal(store.history.count('events'), 500);
  });

  void test(`${name}: two restores at once leave what one of them had`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    const contents = async function* (mark: string): AsyncGenerator<Item> {
      for (let number = 0; number < 2_000; number++) {
        if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        yield { kind: 'document', key: `${mark}/${number}`, json: '1' };
      }
    };
    const done = await Promise.allSettled([store.replace(contents('a')), store.replace(contents('b'))]);
    assert.ok(done.some(({ status }) => status === 'fulfilled'));
    const marks = store.range('').map(({ key }) => key[0]);
    assert.equal(marks.length, 2_000);
    assert.equal(new Set(marks).size, 1, 'nothing is mixed');
  });

  void test(`${name}: history that cannot be deflated is restored, too`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    for (let key = 1; key <= 8; key++) {
      const value = randomBytes(300_000).toString('base64');
      await store.history.append('tasks', [{ key, timeMs: key, value }]);
    }
    const before = store.history.page('tasks', { order: 'oldestFirst', limit: 10 });
    await restoreStore(store, inPieces(await backUp(store)));
    assert.deepEqual(store.history.page('tasks', { order: 'oldestFirst', limit: 10 }), before);
  });

  void test(`${name}: who has lost the lease restores nothing`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    await store.batch([{ put: 'a', value: 1 }]);
    const file = await backUp(store);
    await store.batch([{ put: 'a', value: 2 }]);
    const lease = await store.lock('vpxd');
    await lease.release();
    const next = await store.lock('vpxd');
    await assert.rejects(restoreStore(store.guard(lease), inPieces(file)), LeaseLost);
    assert.equal(store.get('a')?.value, 2);
    await restoreStore(store.guard(next), inPieces(file));
    assert.equal(store.get('a')?.value, 1);
    await store.guard(next).batch([{ put: 'a', value: 3 }]);
  });
}

const rename: Migration = {
  version: 1,
  about: 'names move into an object',
  *migrate(documents): Generator<Op> {
    for (const { key, value } of documents.range<string>('vm/')) yield { put: key, value: { name: value } };
  },
};

const count: Migration = {
  version: 2,
  about: 'a count of VMs, and the first one goes',
  *migrate(documents): Generator<Op> {
    yield {
      put: 'count',
      value: [...documents.range<{ name: string }>('vm/')].filter(({ value }) => value.name).length,
    };
    yield { delete: 'vm/0' };
  },
};

export function testMigrations(engine: EngineUnderTest): void {
  const { name } = engine;

  for (const size of [5, 3_000]) {
    void test(`${name}: pending migrations are run once, each on what the one before left (${size} documents)`, async () => {
      await using stack = new AsyncDisposableStack();
      const store = await openIn(engine, stack);
      for (let begin = 0; begin < size; begin += 1_000) {
        const length = Math.min(1_000, size - begin);
        await store.batch(
          Array.from({ length }, (_, index) => ({ put: `vm/${begin + index}`, value: `n${begin + index}` })),
        );
      }
      await store.history.append('events', [{ key: 1, timeMs: 1, value: 1 }]);
      const first = await migrate(store, [rename]);
      assert.deepEqual([first.from, first.to, first.applied.length], [0, 1, 1]);
      const second = await migrate(store, [rename, count]);
      assert.deepEqual([second.from, second.to], [1, 2]);
      assert.deepEqual(store.get('vm/1')?.value, { name: 'n1' });
      assert.equal(store.get('vm/0'), undefined);
      assert.equal(store.get('count')?.value, size);
      assert.equal(store.range('vm/').length, size - 1);
      assert.equal(store.history.count('events'), 1);
      const revision = store.revision;
      assert.deepEqual((await migrate(store, [rename, count])).applied, []);
      assert.equal(store.revision, revision);
      await assert.rejects(migrate(store, [rename]), (error) => error instanceof SchemaTooNew && error.found === 2);
    });
  }

  void test(`${name}: an empty store needs no migration, and what fails changes nothing`, async () => {
    await using stack = new AsyncDisposableStack();
    const store = await openIn(engine, stack);
    assert.deepEqual((await migrate(store, [rename])).applied, []);
    assert.equal(store.get<{ version: number }>('schema')?.value.version, 1);
    await store.batch([{ put: 'vm/1', value: { name: 'a' } }]);
    const broken: Migration = {
      version: 2,
      about: 'fails in the middle',
      *migrate(): Generator<Op> {
        yield { delete: 'vm/1' };
        throw new Error('not like this');
      },
    };
    await assert.rejects(migrate(store, [rename, broken]), /not like this/);
    assert.deepEqual(store.get('vm/1')?.value, { name: 'a' });
    assert.equal(store.get<{ version: number }>('schema')?.value.version, 1);
    await assert.rejects(migrate(store, [count]), StoreError);
  });
}
