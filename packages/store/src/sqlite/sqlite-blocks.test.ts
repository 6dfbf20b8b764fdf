import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSqliteBlocks, StoreClosed, StoreError, StoreLocked } from '../index.ts';

const directory = mkdtempSync(join(tmpdir(), 'viv-blocks-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newPath = () => join(directory, `${files++}.db`);

const put = (series: string, id: number, text: string) => ({ series, block: { id, bytes: Buffer.from(text) } });
const textOf = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

void test('blocks are read back by number and by range, and go by range', async () => {
  const path = newPath();
  const blocks = openSqliteBlocks(path);
  assert.deepEqual(
    [blocks.firstId('day'), blocks.lastId('day'), blocks.get('day', 1)],
    [undefined, undefined, undefined],
  );
  await blocks.write({
    puts: [put('day', 2, 'b'), put('day', 1, 'a'), put('day', 2 ** 45, 'far'), put('week', 2, 'w')],
  });
  await blocks.write({ puts: [put('day', 2, 'B')] });
  assert.equal(textOf(blocks.get('day', 2)), 'B');
  assert.deepEqual(blocks.ids('day', { from: 1, until: 3 }), [1, 2]);
  assert.deepEqual([blocks.firstId('day'), blocks.lastId('day')], [1, 2 ** 45]);
  await blocks.write({ deletes: [{ series: 'day', from: 0, until: 3 }], puts: [put('day', 2, 'again')] });
  assert.deepEqual(
    blocks.range('day', { from: 0, until: 2 ** 46 }).map(({ id, bytes }) => [id, textOf(bytes)]),
    [
      [2, 'again'],
      [2 ** 45, 'far'],
    ],
  );
  assert.equal(textOf(blocks.get('week', 2)), 'w', 'another series is another world');
  await blocks.close();
  const again = openSqliteBlocks(path);
  assert.equal(textOf(again.get('day', 2)), 'again');
  await again.close();
});

void test('the file is one process’s, closed it refuses, and no name becomes SQL', async () => {
  const path = newPath();
  const blocks = openSqliteBlocks(path);
  const other = spawnSync(process.execPath, [
    '--input-type=module-typescript',
    '-e',
    `import { openSqliteBlocks } from ${JSON.stringify(fileURLToPath(new URL('./sqlite-blocks.ts', import.meta.url)))};
     try { openSqliteBlocks(${JSON.stringify(path)}); } catch (error) { console.log(error.name); }`,
  ]);
  assert.equal(other.stdout.toString().trim(), new StoreLocked('').name, other.stderr.toString());
  assert.throws(() => blocks.get('day; DROP TABLE', 1), StoreError);
  await blocks.close();
  await blocks.close();
  assert.throws(() => blocks.get('day', 1), StoreClosed);
});

void test('a damaged file is put aside when that is wished, and nothing else is', async () => {
  const path = newPath();
  writeFileSync(path, 'this is no database, and long enough to be taken for a broken one'.repeat(100));
  assert.throws(() => openSqliteBlocks(path), StoreError);
  const reasons: Error[] = [];
  const blocks = openSqliteBlocks(path, { putAside: (error) => void reasons.push(error) });
  assert.equal(reasons.length, 1);
  await blocks.write({ puts: [put('day', 1, 'new')] });
  await blocks.close();
  assert.match(readFileSync(`${path}.broken`, 'utf8'), /^this is no database/);
  const nowhere = join(directory, 'no', 'such', 'folder');
  assert.throws(() => openSqliteBlocks(nowhere, { putAside: () => assert.fail() }), StoreError);
});
