import assert from 'node:assert/strict';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFault } from '@vivarium/vim';
import { makeDatastore, scratch } from './fixtures.ts';

void test('a datastore keeps its identity, and what a killed daemon left half made is gone', async () => {
  await using place = await scratch();
  const first = await makeDatastore(place.path);
  await mkdir(join(first.root, 'vm/.viv-tree'), { recursive: true });
  await writeFile(join(first.root, 'vm/.viv-tree/half'), 'x');
  await writeFile(join(first.root, 'vm/.viv-upload'), 'x');
  await writeFile(join(first.root, 'vm/whole'), 'x');
  first.space.close();
  const second = await makeDatastore(place.path);
  assert.equal(second.uuid, first.uuid);
  assert.match(second.uuid, /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  assert.deepEqual(await readdir(join(second.root, 'vm')), ['whole']);
  second.space.close();
});

void test('paths resolve inside the root and come back the same', async () => {
  await using place = await scratch();
  const datastore = await makeDatastore(place.path);
  assert.equal(datastore.resolve('[datastore1]'), datastore.root);
  assert.equal(datastore.resolve('[datastore1] a/b.vmx'), join(datastore.root, 'a/b.vmx'));
  assert.equal(datastore.format(join(datastore.root, 'a/b.vmx')), '[datastore1] a/b.vmx');
  assert.equal(datastore.format(datastore.root), '[datastore1]');
  assert.throws(() => datastore.format('/etc/passwd'), RangeError);
  assert.throws(
    () => datastore.resolve('[other] a'),
    (error) => isFault(error, 'InvalidDatastorePath'),
  );
  datastore.space.close();
});

void test('a symbolic link leads nowhere, in the middle and at the end', async () => {
  await using place = await scratch();
  const datastore = await makeDatastore(place.path);
  await mkdir(join(datastore.root, 'vm'));
  await mkdir(join(place.path, 'secret'));
  await writeFile(join(place.path, 'secret/key'), 'secret');
  await symlink('../../secret', join(datastore.root, 'vm/out'));
  await symlink('/etc/passwd', join(datastore.root, 'vm/passwd'));
  await symlink('whole', join(datastore.root, 'vm/inside'));
  for (const path of ['vm/out', 'vm/out/key', 'vm/passwd', 'vm/inside']) {
    assert.throws(
      () => datastore.resolve(`[datastore1] ${path}`),
      (error) => isFault(error, 'InvalidDatastorePath'),
      path,
    );
  }
  await assert.rejects(datastore.openFolder('vm/out'), (error) => isFault(error, 'NotADirectory'));
  await using folder = await datastore.openFolder('vm');
  await assert.rejects(folder.file('passwd', 0), { code: 'ELOOP' });
  datastore.space.close();
});

void test('a folder that is missing or is a file is said by name', async () => {
  await using place = await scratch();
  const datastore = await makeDatastore(place.path);
  await writeFile(join(datastore.root, 'file'), '');
  await assert.rejects(
    datastore.openFolder('a/b'),
    (error) => isFault(error, 'FileNotFound') && error.fault.file === '[datastore1] a',
  );
  await assert.rejects(datastore.openFolder('file/b'), (error) => isFault(error, 'NotADirectory'));
  await assert.rejects(datastore.openParent(''), (error) => isFault(error, 'InvalidDatastorePath'));
  datastore.space.close();
});

void test('listeners hear of room when it is read, and a waiting one makes the timer quick', async () => {
  await using place = await scratch();
  const fired: number[] = [];
  let tick: (() => void) | undefined;
  const datastore = await makeDatastore(place.path, 'datastore1', (delayMs, fire) => {
    fired.push(delayMs);
    tick = fire;
  });
  const heard = new Promise<number>((resolve) => datastore.space.onSpace(({ freeBytes }) => resolve(freeBytes)));
  const stop = datastore.space.watchClosely();
  assert.ok((fired.at(-1) ?? 0) < (fired[0] ?? 0));
  tick?.();
  assert.ok((await heard) > 0);
  stop();
  assert.equal(fired.at(-1), fired[0]);
  datastore.space.close();
});
