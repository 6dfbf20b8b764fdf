import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ensureBuilt } from './cached-build.ts';

async function cacheFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'viv-cache-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

const find = (folder: string) => readFile(join(folder, 'thing-1', 'content'), 'utf8').catch(() => undefined);

void test('two that ask at once get the same tree, built once', async (context) => {
  const folder = await cacheFolder(context);
  let builds = 0;
  const ask = () =>
    ensureBuilt({
      folder,
      subject: 'a thing',
      find: () => find(folder),
      build: async (_work, tree) => {
        builds++;
        await writeFile(join(tree, 'content'), 'whole');
        return 'thing-1';
      },
    });
  assert.deepEqual(await Promise.all([ask(), ask()]), ['whole', 'whole']);
  assert.equal(builds, 1);
});

void test('a failed build leaves nothing, and what a killed builder left is cleared', async (context) => {
  const folder = await cacheFolder(context);
  await mkdir(join(folder, '.building-dead', 'tree'), { recursive: true });
  const build = async (_work: string, tree: string) => {
    await writeFile(join(tree, 'content'), 'half');
    throw new Error('no space');
  };
  await assert.rejects(ensureBuilt({ folder, subject: 'a thing', find: () => find(folder), build }), /no space/);
  assert.deepEqual(await readdir(folder), ['.lock']);
});

void test('a build that does not come out as promised is an error', async (context) => {
  const folder = await cacheFolder(context);
  const build = async () => 'other-name';
  await assert.rejects(ensureBuilt({ folder, subject: 'a thing', find: () => find(folder), build }), /cannot be found/);
});
