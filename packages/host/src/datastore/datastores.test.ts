import assert from 'node:assert/strict';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@vivarium/base';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { openSqliteStore } from '@vivarium/store';
import { isFault } from '@vivarium/vim';
import { Datastores } from './datastores.ts';
import { scratch } from './fixtures.ts';

async function openAll(path: string) {
  const store = openSqliteStore(join(path, 'state.db'));
  const datastores = await Datastores.open({
    store,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    first: { name: 'datastore1', root: join(path, 'one') },
  });
  const close = async () => {
    datastores.close();
    await store.close();
  };
  return { datastores, close };
}

void test('datastores are added, renamed, removed, and are the same after a restart', async () => {
  await using place = await scratch();
  await mkdir(join(place.path, 'two'));
  const before = await openAll(place.path);
  const two = await before.datastores.add({ name: 'two', root: join(place.path, 'two') });
  await before.datastores.rename(two, 'zwei');
  await before.close();
  const after = await openAll(place.path);
  assert.deepEqual(
    after.datastores.list().map(({ name }) => name),
    ['datastore1', 'zwei'],
  );
  assert.equal(after.datastores.find('zwei')?.uuid, two.uuid);
  const first = after.datastores.find('datastore1');
  assert.ok(first);
  await after.datastores.remove(first);
  await after.close();
  const last = await openAll(place.path);
  assert.deepEqual(
    last.datastores.list().map(({ name }) => name),
    ['zwei'],
  );
  await last.close();
});

void test('a datastore whose directory is gone is left out and never made anew', async () => {
  await using place = await scratch();
  await mkdir(join(place.path, 'two'));
  const before = await openAll(place.path);
  await before.datastores.add({ name: 'two', root: join(place.path, 'two') });
  await before.close();
  await rm(join(place.path, 'two'), { recursive: true });
  const after = await openAll(place.path);
  assert.equal(after.datastores.find('two'), undefined);
  await assert.rejects(stat(join(place.path, 'two')), { code: 'ENOENT' });
  await after.close();
});

void test('bad names, twins and missing directories are refused', async () => {
  await using place = await scratch();
  await mkdir(join(place.path, 'two'));
  await writeFile(join(place.path, 'file'), '');
  const { datastores, close } = await openAll(place.path);
  const add = (name: string, root: string) => datastores.add({ name, root: join(place.path, root) });
  for (const name of ['', 'a/b', 'a]', ' a', '..', 'x'.repeat(43)]) {
    await assert.rejects(add(name, 'two'), (error) => isFault(error, 'InvalidName'), name);
  }
  await assert.rejects(add('datastore1', 'two'), (error) => isFault(error, 'DuplicateName'));
  await assert.rejects(add('again', 'one'), (error) => isFault(error, 'DuplicateName'));
  await assert.rejects(add('new', 'nowhere'), (error) => isFault(error, 'FileNotFound'));
  await assert.rejects(add('new', 'file'), (error) => isFault(error, 'NotADirectory'));
  await close();
});

void test('a place is found by path, by URL of the volume, by mount path and by its /folder URL', async () => {
  await using place = await scratch();
  const { datastores, close } = await openAll(place.path);
  const uuid = datastores.list()[0]?.uuid;
  for (const text of [
    '[datastore1] a/b c.iso',
    `ds:///vmfs/volumes/${uuid}/a/b c.iso`,
    `/vmfs/volumes/${uuid}/a/b c.iso`,
    '/vmfs/volumes/datastore1/a/b c.iso',
    'https://host/folder/a/b%20c.iso?dcPath=ha-datacenter&dsName=datastore1',
  ]) {
    assert.equal(datastores.locate(text).path, 'a/b c.iso', text);
  }
  for (const text of [
    '[none] a',
    'ds:///vmfs/volumes/none/a',
    '/vmfs/volumes/datastore1/../a',
    'https://host/other/a?dsName=datastore1',
    'https://host/folder/%2e%2e/%2e%2e/a%00?dsName=datastore1',
    'https://host/folder/a',
    'file:///etc/passwd',
  ]) {
    assert.throws(
      () => datastores.locate(text),
      (error) => isFault(error, 'InvalidDatastorePath'),
      text,
    );
  }
  await close();
});
